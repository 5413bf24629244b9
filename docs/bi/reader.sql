-- Rights for BI tools: they read the star schema, and nothing else.
--
-- Run it as a superuser, or as the user that `churnwatch bi load` connects as where that one may create roles; run it again after an upgrade
-- of Churnwatch, for new tables and views. It names the schema of CHURNWATCH_BI_SCHEMA: change `churnwatch` where yours is called otherwise.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'churnwatch_reader') THEN
        CREATE ROLE churnwatch_reader NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'churnwatch_bi') THEN
        CREATE ROLE churnwatch_bi LOGIN CONNECTION LIMIT 20 IN ROLE churnwatch_reader;
    END IF;
END $$;

GRANT USAGE ON SCHEMA churnwatch TO churnwatch_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA churnwatch TO churnwatch_reader;

-- How far Kafka is read and who was erased is the sink's own business; the view sink_freshness tells what is of use.
REVOKE ALL ON churnwatch.sink_position, churnwatch.sink_erased, churnwatch.sink_schema FROM churnwatch_reader;

-- The tool's own login. It sees the tables without naming the schema, and cannot keep the database busy for ever.
ALTER ROLE churnwatch_bi SET search_path = churnwatch;
ALTER ROLE churnwatch_bi SET default_transaction_read_only = on;
ALTER ROLE churnwatch_bi SET statement_timeout = '5min';
