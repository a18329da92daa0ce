// postgres.js with a token of @aws-sdk/dsql-signer.
import assert from "node:assert/strict";
import { DsqlSigner } from "@aws-sdk/dsql-signer";
import postgres from "postgres";

const host = process.env.DSQL_HOST;
const signer = new DsqlSigner({ hostname: host, region: process.env.AWS_REGION });
const sql = postgres({
  host, port: 5432, username: "admin", database: "postgres", ssl: { rejectUnauthorized: true }, max: 4,
  password: () => signer.getDbConnectAdminAuthToken(),
});

await sql`CREATE TABLE account_postgres (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner text NOT NULL, balance int NOT NULL)`;
const [{ job_id }] = await sql`CREATE INDEX ASYNC account_postgres_owner ON account_postgres (owner)`;
assert.equal((await sql.unsafe(`CALL sys.wait_for_job('${job_id}')`))[0].succeeded, true);
await sql`INSERT INTO account_postgres ${sql(Array.from({ length: 50 }, (_, n) => ({ owner: `owner ${n}`, balance: n })))}`;
assert.equal((await sql`SELECT balance FROM account_postgres WHERE owner = ${"owner 7"}`)[0].balance, 7);
assert.equal((await sql`SELECT count(*)::int AS n FROM account_postgres WHERE owner IN ${sql(["owner 1", "owner 2"])}`)[0].n, 2);

let attempts = 0;
for (;;) {
  attempts++;
  try {
    await sql.begin(async (transaction) => {
      await transaction`UPDATE account_postgres SET balance = balance + 1 WHERE owner = 'owner 7'`;
      if (attempts === 1) await sql`UPDATE account_postgres SET balance = 20 WHERE owner = 'owner 7'`;
    });
    break;
  } catch (error) {
    assert.equal(error.code, "40001");
    assert.match(error.message, /OC000/);
  }
}
assert.equal(attempts, 2);
assert.equal((await sql`SELECT balance FROM account_postgres WHERE owner = 'owner 7'`)[0].balance, 21);
await sql.end();
console.log("done");
