'use strict';
// Projects by TypeORM over pg.

require('reflect-metadata');
const { Brackets, DataSource, EntitySchema } = require('typeorm');
const { serve } = require('./service');

const User = new EntitySchema({
  name: 'User',
  tableName: 'users',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    email: { type: 'varchar', length: 320, unique: true },
    passwordHash: { name: 'password_hash', type: 'varchar', length: 100 },
    isActive: { name: 'is_active', type: 'boolean', default: true },
  },
});
const Project = new EntitySchema({
  name: 'Project',
  tableName: 'projects',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    ownerId: { name: 'owner_id', type: 'uuid' },
    name: { type: 'varchar', length: 255 },
    description: { type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz', precision: 3, createDate: true },
    updatedAt: { name: 'updated_at', type: 'timestamptz', precision: 3, updateDate: true },
    version: { type: 'integer', version: true },
  },
});

serve(async () => {
  const source = new DataSource({
    type: 'postgres', url: process.env.DATABASE_URL, entities: [User, Project], poolSize: Number(process.env.POOL_SIZE),
  });
  await source.initialize();
  const users = source.getRepository(User);
  const projects = source.getRepository(Project);
  return {
    account: (email) => users.findOneBy({ email }),
    one: (id, ownerId) => projects.findOneBy({ id, ownerId }),
    create: (ownerId, told) => projects.save(projects.create({ ...told, ownerId })),
    page: (ownerId, take, after) => {
      const query = projects.createQueryBuilder('p').where('p.ownerId = :ownerId', { ownerId });
      if (after) {
        const older = new Brackets((or) => or.where('p.createdAt < :when').orWhere('p.createdAt = :when AND p.id < :key'));
        query.andWhere(older, after);
      }
      return query.orderBy('p.createdAt', 'DESC').addOrderBy('p.id', 'DESC').limit(take).getMany();
    },
    change: async (id, ownerId, version, changes) => {
      const wanted = version === undefined ? { id, ownerId } : { id, ownerId, version };
      const done = await projects.update(wanted, changes);
      return done.affected ? projects.findOneBy({ id, ownerId }) : null;
    },
  };
});
