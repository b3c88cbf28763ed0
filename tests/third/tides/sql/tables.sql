CREATE TABLE IF NOT EXISTS {own:levels/made} (
    "station" VARCHAR NOT NULL,
    "line/no" VARCHAR NOT NULL,
    "at" TIMESTAMP_NTZ NOT NULL,
    "level/predicted" FLOAT NOT NULL,
    "level/actual" FLOAT,
    "model/version" VARCHAR NOT NULL,
    "made/at" TIMESTAMP_NTZ NOT NULL
);
-- Ten days of hours at four gauges; the newest day is still to come.
CREATE OR REPLACE VIEW {own:hours/all} AS
WITH DIGITS AS (SELECT COLUMN1 AS D FROM VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
HOURS AS (SELECT 100 * A.D + 10 * B.D + C.D AS N FROM DIGITS AS A CROSS JOIN DIGITS AS B CROSS JOIN DIGITS AS C)
SELECT
    G.COLUMN1 AS "station", G.COLUMN2 AS "line/no", G.COLUMN3 AS "name", G.COLUMN4 AS "depth",
    DATEADD(hour, HOURS.N, '2026-01-01'::TIMESTAMP_NTZ) AS "at",
    1 + SIN(HOURS.N * 0.2618) + G.COLUMN4 / 100 AS "level"
FROM HOURS
CROSS JOIN VALUES
    ('north/pier', 'A "1"', 'North pier', 1.5), ('north/pier', 'B', 'North pier, back', 2.5),
    ('old town', 'A "1"', 'Old town', 3.5), ('50%', 'é', 'Half', 4.5) AS G
WHERE HOURS.N < 240;
CREATE OR REPLACE VIEW {own:readings/hourly} AS
SELECT "station", "line/no", "at", "level" FROM {own:hours/all} WHERE "at" < '2026-01-10'::TIMESTAMP_NTZ;
CREATE OR REPLACE VIEW {own:predictions/hourly} AS
SELECT M.*, H."name", H."depth", B."level" AS "level/naive"
FROM {own:levels/made} AS M
JOIN {own:hours/all} AS H ON H."station" = M."station" AND H."line/no" = M."line/no" AND H."at" = M."at"
LEFT JOIN {own:hours/all} AS B
    ON B."station" = M."station" AND B."line/no" = M."line/no" AND B."at" = DATEADD(hour, -25, M."at");
CREATE OR REPLACE VIEW {own:pending/hours} AS
SELECT DISTINCT "at" FROM {own:hours/all}
WHERE "at" >= '2026-01-09'::TIMESTAMP_NTZ AND "at" NOT IN (SELECT "at" FROM {own:levels/made});
