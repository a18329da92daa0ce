// @aws/aurora-dsql-node-postgres-connector: client, pool, its retry.
import assert from "node:assert/strict";
import { AuroraDSQLClient, AuroraDSQLPool, isOCCError } from "@aws/aurora-dsql-node-postgres-connector";

const host = process.env.DSQL_HOST;
const client = new AuroraDSQLClient({ host, user: "admin" });
await client.connect();
await client.query("CREATE TABLE account_connector (id int PRIMARY KEY, owner text NOT NULL, balance int NOT NULL)");
const { rows: [{ job_id }] } = await client.query("CREATE INDEX ASYNC account_connector_owner ON account_connector (owner)");
assert.equal((await client.query(`CALL sys.wait_for_job('${job_id}')`)).rows[0].succeeded, true);
await client.transaction(async (c) => {
  for (let n = 0; n < 50; n++) await c.query("INSERT INTO account_connector VALUES ($1, $2, $3)", [n, `owner ${n}`, n]);
});
assert.equal((await client.query("SELECT sum(balance)::int AS s FROM account_connector")).rows[0].s, 1225);

const pool = new AuroraDSQLPool({ host, user: "admin", max: 3, retry: { maxRetries: 5 } });
let attempts = 0;
await pool.transaction(async (c) => {
  attempts++;
  const { rows: [{ balance }] } = await c.query("SELECT balance FROM account_connector WHERE id = 7");
  if (attempts === 1) await client.query("UPDATE account_connector SET balance = 20 WHERE id = 7");
  await c.query("UPDATE account_connector SET balance = $1 WHERE id = 7", [balance + 1]);
});
assert.equal(attempts, 2);
await assert.rejects(
  pool.transaction(async (c) => {
    await c.query("UPDATE account_connector SET balance = 30 WHERE id = 7");
    await client.query("UPDATE account_connector SET balance = 40 WHERE id = 7");
  }, { maxRetries: 0 }),
  isOCCError,
);
assert.equal((await pool.query("SELECT balance FROM account_connector WHERE id = 7")).rows[0].balance, 40);
await pool.end();
await client.end();
console.log("done");
