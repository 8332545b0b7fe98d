// What an app around the examples of the documents has; each example is compiled as a module beside this.
import type { Client, Holdfast, Project, User } from "@holdfast/client";

declare global {
  const client: Client;
  const holdfast: Holdfast;
  const projectId: string;
  const project: Project;
  const apiToken: string;
  const email: string;
  const password: string;
  const newName: string;
  const url: string;
  const photo: { uri: string; name: string; type: string };
  const film: File;
  const leave: AbortController;
  const database: {
    kept(name: string): Promise<string | null>;
    transaction(work: (rows: Rows) => Promise<void>): Promise<void>;
  };
  interface Rows {
    clear(): Promise<void>;
    put(id: string, project: Project | null): Promise<void>;
    delete(id: string): Promise<void>;
    keep(name: string, value: string): Promise<void>;
  }
  function askForCode(methods: string[]): Promise<string>;
  function onForeground(work: () => void): void;
  function show(what: unknown): void;
  function showProjects(user: User): void;
  function showSignIn(reason?: string): void;
}

