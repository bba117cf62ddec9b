-- Rows for the tables of schema.sql: 10,000 orders with four lines each on the average,
-- the other tables in the proportions that the queries need.  The same rows each time:
-- what looks random is a hash of what it is for and of the row's number.

-- One of the numbers 0 .. n - 1.
CREATE FUNCTION draw(what text, i bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE
  RETURN ((hashtextextended(what || i, 0) & 9223372036854775807) % n)::int;
-- One of some words.
CREATE FUNCTION word(what text, i bigint, words text[]) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN words[1 + draw(what, i, cardinality(words))];
-- A sum of money between two amounts.
CREATE FUNCTION money(what text, i bigint, low int, high int) RETURNS numeric LANGUAGE sql IMMUTABLE
  RETURN low + draw(what, i, (high - low) * 100 + 1) / 100.0;
-- A telephone number, whose first digits tell the nation.
CREATE FUNCTION phone(what text, i bigint, nation int) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN format('%s-%s-%s-%s', nation + 10, 100 + draw(what || 'a', i, 900), 100 + draw(what || 'b', i, 900), 1000 + draw(what || 'c', i, 9000));
-- Something to read; one in so many rows says what a query looks for.
CREATE FUNCTION remark(what text, i bigint, sought text, one_in int) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN word(what || '1', i, '{soon,"as agreed",late,twice,never}') || ' '
    || CASE WHEN draw(what || '2', i, one_in) = 0 THEN sought ELSE word(what || '3', i, '{"the usual way",packed,"by hand","behind the gate"}') END
    || ' ' || word(what || '4', i, '{please,thanks,"on Monday","in the rain"}');

INSERT INTO region
  SELECT i - 1, name, remark('region', i, '', 2)
  FROM unnest('{AFRICA,AMERICA,ASIA,EUROPE,MIDDLE EAST}'::text[]) WITH ORDINALITY r (name, i);
INSERT INTO nation
  SELECT i - 1, split_part(name, ':', 1), split_part(name, ':', 2)::int, remark('nation', i, '', 2)
  FROM unnest('{ALGERIA:0,ARGENTINA:1,BRAZIL:1,CANADA:1,EGYPT:4,ETHIOPIA:0,FRANCE:3,GERMANY:3,INDIA:2,INDONESIA:2,IRAN:4,IRAQ:4,JAPAN:2,
    JORDAN:4,KENYA:0,MOROCCO:0,MOZAMBIQUE:0,PERU:1,CHINA:2,ROMANIA:3,SAUDI ARABIA:4,VIETNAM:2,RUSSIA:3,UNITED KINGDOM:3,UNITED STATES:1}'::text[])
    WITH ORDINALITY n (name, i);

INSERT INTO supplier
  SELECT i, format('Supplier#%s', lpad(i::text, 9, '0')), 'street ' || draw('s_street', i, 5000), n, phone('s', i, n),
    money('s_acctbal', i, -1000, 10000), remark('s', i, 'Customer will send Complaints', 20)
  FROM generate_series(1, 200) i, draw('s_nation', i, 25) n;
INSERT INTO part
  SELECT i, concat_ws(' ', word('p1', i, c), word('p2', i, c), word('p3', i, c)), 'Manufacturer#' || m, format('Brand#%s%s', m, 1 + draw('brand', i, 5)),
    concat_ws(' ', word('t1', i, '{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}'), word('t2', i, '{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}'),
      word('t3', i, '{TIN,NICKEL,BRASS,STEEL,COPPER}')),
    1 + draw('size', i, 50), word('k1', i, '{SM,LG,MED,JUMBO,WRAP}') || ' ' || word('k2', i, '{CASE,BOX,BAG,JAR,PKG,PACK,CAN,DRUM}'),
    900 + i % 1000 + i / 10 % 100 / 100.0, word('p_comment', i, '{light,heavy,fragile,spare}')
  FROM (SELECT i, 1 + draw('mfgr', i, 5) AS m FROM generate_series(1, 2000) i) p,
    (VALUES ('{almond,azure,beige,black,blue,brown,coral,cyan,forest,gold,green,ivory,lime,olive,plum,red,salmon,snow,tan,white}'::text[])) AS colours (c);
INSERT INTO partsupp
  SELECT p, 1 + (p * 7 + s * 53) % 200, 1 + draw('ps_availqty', p * 4 + s, 9999), money('ps_supplycost', p * 4 + s, 1, 1000), remark('ps', p * 4 + s, '', 2)
  FROM generate_series(1, 2000) p, generate_series(0, 3) s;
INSERT INTO customer
  SELECT i, format('Customer#%s', lpad(i::text, 9, '0')), 'street ' || draw('c_street', i, 5000), n, phone('c', i, n),
    money('c_acctbal', i, -1000, 10000), word('segment', i, '{AUTOMOBILE,BUILDING,FURNITURE,HOUSEHOLD,MACHINERY}'), remark('c', i, '', 2)
  FROM generate_series(1, 1500) i, draw('c_nation', i, 25) n;

-- Every third customer has never ordered anything.
INSERT INTO orders
  SELECT i, c - (c % 3 = 0)::int, 'O', 0, date '1992-01-01' + draw('o_orderdate', i, 2406),
    word('priority', i, '{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}'), format('Clerk#%s', lpad(draw('clerk', i, 100)::text, 9, '0')), 0,
    remark('o', i, 'special favours and requests', 15)
  FROM generate_series(1, 10000) i, draw('o_custkey', i, 1499) d, LATERAL (SELECT d + 1 AS c) x;
INSERT INTO lineitem
  SELECT o_orderkey, p, 1 + (p * 7 + draw('l_supp', k, 4) * 53) % 200, n, q, q * (SELECT p_retailprice FROM part WHERE p_partkey = p),
    draw('l_discount', k, 11) / 100.0, draw('l_tax', k, 9) / 100.0,
    CASE WHEN received > date '1995-06-17' THEN 'N' ELSE word('l_returnflag', k, '{R,A}') END,
    CASE WHEN shipped > date '1995-06-17' THEN 'O' ELSE 'F' END,
    shipped, o_orderdate + 30 + draw('l_commit', k, 61), received,
    word('l_instruct', k, '{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}'), word('l_mode', k, '{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'),
    remark('l', k, '', 2)
  FROM orders, generate_series(1, 1 + draw('lines', o_orderkey, 7)) n, LATERAL (SELECT o_orderkey * 8 + n AS k) x,
    LATERAL (SELECT 1 + draw('l_part', k, 2000) AS p, 1 + draw('l_quantity', k, 50) AS q, o_orderdate + 1 + draw('l_ship', k, 121) AS shipped) y,
    LATERAL (SELECT shipped + 1 + draw('l_receipt', k, 30) AS received) z;
UPDATE orders SET o_totalprice = total,
    o_orderstatus = CASE WHEN open = 0 THEN 'F' WHEN open = lines THEN 'O' ELSE 'P' END
  FROM (SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS total,
      count(*) FILTER (WHERE l_linestatus = 'O') AS open, count(*) AS lines FROM lineitem GROUP BY 1) l
  WHERE l_orderkey = o_orderkey;

CREATE INDEX ON lineitem (l_partkey, l_suppkey);
CREATE INDEX ON orders (o_custkey);
VACUUM ANALYZE;
