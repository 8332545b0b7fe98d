"""Files that exist: Bob keeps them in a project that no other operation finds. No generator can guess their ids."""

import base64
import io
import subprocess
import sys
from itertools import count
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from dev.places import ROOT
from tests.fuzz.asking import ask, send, signed_in
from tests.fuzz.refusals import operation_id

BOB = "bob@example.com"
PICTURES = 20
TRASHED = 30
BOUNDARY = "shelf"
SIZES = 64


class Shelf:
    """Bob's pictures, uploads that he began, and a job that he waits for."""

    def __init__(self):
        token = signed_in(BOB)["access_token"]
        self.project = ask("POST", "/projects", {"name": "Boat pictures"}, token)["id"]
        self.files = [self._picture(number, token) for number in range(PICTURES)]
        self.trash = [self._picture(number, token) for number in range(TRASHED)]
        for file_id in self.trash:
            ask("DELETE", f"/projects/{self.project}/files/{file_id}", token=token)
        self.uploads = []
        self.job = ask("POST", "/me/exports", token=token)["id"]
        # No worker runs here: what is in the making now is made now, so that there is something to download.
        work = [sys.executable, "-m", "flask", "worker", "--until-idle"]
        subprocess.run(work, cwd=ROOT, check=True, capture_output=True)
        self._turns = count()

    def lead(self, case):
        """Let a request be about what is here; ids of another kind stay as they are."""
        turn, name = next(self._turns), operation_id(case)
        existing = {"project_id": self.project, "file_id": self.files[turn % PICTURES], "job_id": self.job}
        for newest in self.uploads[-1:]:
            existing["upload_id"] = newest
        if name == "purgeFile":
            # Another than the pictures: those are needed.
            existing["file_id"] = self.trash.pop() if self.trash else self.project
        if name == "deleteTusUpload":
            del self.uploads[-1:]
        given = case.path_parameters or {}
        case.path_parameters = {key: existing.get(key, value) for key, value in given.items()}
        if name == "createTusUpload":
            case.headers["Upload-Length"] = str((turn % SIZES + 1) ** 3)
            case.headers["Upload-Metadata"] = f"filename {base64.b64encode(b'log.txt').decode()}"
        if name == "appendTusUpload" and turn % 2:
            case.headers["Upload-Offset"] = "0"
        if name == "downloadFileByUrl":
            case.query["token"] = self._address(existing["file_id"]) or case.query["token"]

    def note(self, case, response):
        """Remember an upload that was begun here."""
        if operation_id(case) == "createTusUpload" and response.status_code == 201:
            self.uploads.append(response.headers["location"][0].rpartition("/")[2])

    def _picture(self, number, token):
        kept = io.BytesIO()
        Image.new("RGB", (8, 8), (number, 0, 0)).save(kept, "JPEG")
        head = f'Content-Disposition: form-data; name="file"; filename="{number}.jpg"\r\nContent-Type: image/jpeg'
        form = (
            f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + kept.getvalue() + f"\r\n--{BOUNDARY}--\r\n".encode()
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        with send("POST", f"/projects/{self.project}/files", form, token, kind) as answer:
            return answer.headers["Location"].rpartition("/")[2]

    def _address(self, file_id):
        """The token of its content's address, good for minutes; ``None`` in the trash."""
        token = signed_in(BOB)["access_token"]
        url = ask("GET", f"/projects/{self.project}/files/{file_id}", token=token)["content_url"]
        ask("POST", "/auth/logout", token=token)  # an account has so many sessions, and the oldest would end
        return parse_qs(urlsplit(url).query)["token"][0] if url else None
