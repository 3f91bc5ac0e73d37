/** The tables, and what there is to buy. Each process runs this when it starts; a program that grows uses a tool for migrations instead. */
import { pool } from './pool.ts';

const TABLES = `
  begin;
  select pg_advisory_xact_lock(1); -- one process at a time

  create table if not exists product (
    id integer generated always as identity primary key,
    name text not null unique,
    about text not null,
    picture text not null,
    price integer not null check (price > 0), -- cents
    stock integer not null check (stock >= 0)
  );
  create table if not exists person (
    id integer generated always as identity primary key,
    email text not null unique,
    password text not null
  );
  create table if not exists attempt (client text primary key, since timestamptz not null, count integer not null);
  create table if not exists purchase (
    id integer generated always as identity primary key,
    person integer not null references person,
    basket uuid not null unique, -- a basket is bought once, however often its form is sent
    at timestamptz not null default now()
  );
  create table if not exists line (
    purchase integer not null references purchase,
    product integer not null references product,
    count integer not null check (count > 0),
    price integer not null, -- as it was
    primary key (purchase, product)
  );
  create table if not exists mail (
    id bigint generated always as identity primary key,
    recipient text not null,
    subject text not null,
    body text not null,
    due timestamptz not null default now(),
    attempts integer not null default 0
  );

  insert into product (name, about, picture, price, stock) values
    ('Red thread', 'Cotton, 200 m. It runs through everything.', 'thread', 390, 40),
    ('Needles', 'Ten of them, in three sizes, in a paper that keeps them together.', 'needles', 250, 25),
    ('Scissors', 'Forged, 15 cm. They cut thread, and nothing that you wanted to keep.', 'scissors', 1890, 6),
    ('Thimble', 'Brass, the last one of its kind.', 'thimble', 720, 1)
  on conflict do nothing;
  commit`;

export async function createTables(): Promise<void> {
  await pool.query(TABLES);
}
