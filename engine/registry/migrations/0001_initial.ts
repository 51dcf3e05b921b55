import { sql, type Kysely, type Migration } from "kysely";

const tables = [
  sql`create table exchanges (
    seq bigint unsigned not null auto_increment primary key,
    id char(36) not null,
    state varchar(24) not null,
    state_since datetime(3) not null,
    dedupe_key char(64) null,
    request_hash char(64) not null,
    subject varchar(255) not null,
    source_case_id int unsigned not null,
    destination_case_id int unsigned not null,
    batch_id varchar(16) not null,
    request json not null,
    selected bigint unsigned not null,
    created_at datetime(3) not null,
    updated_at datetime(3) not null,
    wake_at datetime(3) not null,
    signals int unsigned not null default 0,
    lease_owner varchar(320) null,
    lease_until datetime(3) null,
    waiting varchar(1000) null,
    outputs json null,
    uploader_told_at datetime(3) null,
    uploader_released_at datetime(3) null,
    execution_arn varchar(512) null,
    copy_finished_at datetime(3) null,
    payload json null,
    failure json null,
    drain_round int unsigned not null default 0,
    quiet_since datetime(3) null,
    table_rows json null,
    outcome varchar(24) null,
    unique key exchanges_id (id),
    unique key exchanges_dedupe_key (dedupe_key),
    key exchanges_due (state, wake_at),
    key exchanges_cases (source_case_id, destination_case_id)
  )`,
  sql`create table transitions (
    id bigint unsigned not null auto_increment primary key,
    exchange_id char(36) not null,
    from_state varchar(24) null,
    to_state varchar(24) not null,
    reason varchar(1000) not null,
    at datetime(3) not null,
    key transitions_exchange (exchange_id, id)
  )`,
  sql`create table operations (
    id char(36) not null primary key,
    exchange_id char(36) not null,
    kind varchar(16) not null,
    purpose varchar(32) not null,
    attempt int unsigned not null,
    state varchar(16) not null,
    owner varchar(320) not null,
    pid int unsigned null,
    heartbeat_at datetime(3) not null,
    cancel_requested tinyint not null default 0,
    error json null,
    created_at datetime(3) not null,
    started_at datetime(3) null,
    ended_at datetime(3) null,
    unique key operations_attempt (exchange_id, purpose, attempt),
    key operations_state (state)
  )`,
  sql`create table outbox (
    id bigint unsigned not null auto_increment primary key,
    message_id varchar(200) not null,
    exchange_id char(36) not null,
    channel varchar(16) not null,
    body json not null,
    delay_seconds int unsigned not null default 0,
    attempts int unsigned not null default 0,
    next_at datetime(3) not null,
    created_at datetime(3) not null,
    published_at datetime(3) null,
    unique key outbox_message (message_id),
    key outbox_due (published_at, next_at)
  )`,
  sql`create table inbox (
    event_id varchar(200) not null primary key,
    exchange_id char(36) not null,
    event_type varchar(64) not null,
    received_at datetime(3) not null
  )`,
  sql`create table exchange_documents (
    exchange_id char(36) not null,
    stage varchar(16) not null,
    unit_id varchar(20) not null,
    document_id varchar(20) not null,
    state varchar(16) not null,
    event_id varchar(200) not null,
    error json null,
    occurred_at datetime(3) not null,
    primary key (exchange_id, stage, unit_id)
  )`,
  sql`create table exchange_statuses (
    exchange_id char(36) not null primary key,
    status varchar(32) not null,
    event_id varchar(200) not null,
    detail json not null,
    occurred_at datetime(3) not null
  )`,
  sql`create table gates (name varchar(32) not null primary key)`,
];

/** The registry as it began; binary collation, since ids and keys are exact. */
export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const table of tables) {
      await sql`${table} engine = innodb default character set utf8mb4 collate utf8mb4_bin`.execute(db);
    }
    await sql`insert into gates (name) values ('admission')`.execute(db);
  },
};
