'use strict';
// Projects by Prisma over its adapter for pg.

const path = require('node:path');
const { PrismaPg } = require('@prisma/adapter-pg');
const { serve } = require('./service');

const { PrismaClient, Prisma } = require(path.join(__dirname, 'generated'));

serve(async () => {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL_SIZE) });
  const prisma = new PrismaClient({ adapter });
  await prisma.$connect();
  return {
    account: (email) => prisma.user.findUnique({ where: { email } }),
    one: (id, ownerId) => prisma.project.findUnique({ where: { id, ownerId } }),
    create: (ownerId, told) => prisma.project.create({ data: { ...told, ownerId } }),
    page: (ownerId, take, after) => prisma.project.findMany({
      where: {
        ownerId,
        ...(after && { OR: [{ createdAt: { lt: after.when } }, { createdAt: after.when, id: { lt: after.key } }] }),
      },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take,
    }),
    change: async (id, ownerId, version, changes) => {
      try {
        return await prisma.project.update({
          where: { id, ownerId, ...(version !== undefined && { version }) },
          data: { ...changes, version: { increment: 1 } },
        });
      } catch (error) {
        if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2025') return null;
        throw error;
      }
    },
  };
});
