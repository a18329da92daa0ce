// node-postgres with a token of @aws-sdk/dsql-signer.
import assert from "node:assert/strict";
import { DsqlSigner } from "@aws-sdk/dsql-signer";
import pg from "pg";

const host = process.env.DSQL_HOST;
const signer = new DsqlSigner({ hostname: host, region: process.env.AWS_REGION });
const pool = new pg.Pool({
  host, user: "admin", database: "postgres", ssl: { rejectUnauthorized: true }, max: 4,
  password: () => signer.getDbConnectAdminAuthToken(),
});

await pool.query("CREATE TABLE account_pg (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner text NOT NULL, balance int NOT NULL)");
const { rows: [{ job_id }] } = await pool.query("CREATE INDEX ASYNC account_pg_owner ON account_pg (owner)");
assert.equal((await pool.query(`CALL sys.wait_for_job('${job_id}')`)).rows[0].succeeded, true);
for (let n = 0; n < 50; n++) await pool.query("INSERT INTO account_pg (owner, balance) VALUES ($1, $2)", [`owner ${n}`, n]);
const { rows } = await pool.query({ name: "by-owner", text: "SELECT balance FROM account_pg WHERE owner = $1", values: ["owner 7"] });
assert.deepEqual(rows, [{ balance: 7 }]);

const add = "UPDATE account_pg SET balance = balance + 1 WHERE owner = 'owner 7'";
const one = await pool.connect(), two = await pool.connect();
for (const client of [one, two]) {
  await client.query("BEGIN");
  await client.query(add);
}
await one.query("COMMIT");
await assert.rejects(two.query("COMMIT"), (error) => error.code === "40001" && error.message.includes("OC000"));
await two.query("BEGIN");
await two.query(add);
await two.query("COMMIT");
assert.equal((await one.query("SELECT balance FROM account_pg WHERE owner = 'owner 7'")).rows[0].balance, 9);
one.release();
two.release();
await pool.end();

const wrong = new pg.Client({ host, user: "admin", database: "postgres", ssl: true, password: await signer.getDbConnectAuthToken() });
await assert.rejects(wrong.connect(), (error) => error.code === "08006" && error.severity === "FATAL"
  && error.hint === "Wrong user to action mapping. user: admin, action: DbConnect");
console.log("done");
