/*
 * shippable_version.c
 *		Which built-in objects has a remote of an older version?
 *
 * The table names the functions, operators and types that came after PostgreSQL 10, by OID (which
 * an object keeps), with the version that brought them: those that could be shipped at
 * all, the immutable ones.  test/harness/newer_objects has made it from the files
 * postgres.bki of 10 to 18, which hold what initdb puts into the catalogs.  What is of a
 * version that the table doesn't know yet is newer than all.
 *
 * A remote whose version isn't known is taken for an old one; so where a
 * statement uses something of the table, the planner asks (plan/size.c).
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"

#include "base/compat.h"
#include "query/shippable.h"
#include "query/shippable_object.h"

/* FETCH FIRST ... WITH TIES came with it. */
#define WITH_TIES_SINCE 130000

typedef struct NewerObject
{
	Oid			classid;
	uint16		oid;
	uint16		since;
} NewerObject;

/* In the order of OIDs, class by class. */
static const NewerObject newer_objects[] = {
	{ProcedureRelationId, 240, 12}, /* nameeqtext */
	{ProcedureRelationId, 241, 12}, /* namelttext */
	{ProcedureRelationId, 242, 12}, /* nameletext */
	{ProcedureRelationId, 243, 12}, /* namegetext */
	{ProcedureRelationId, 244, 12}, /* namegttext */
	{ProcedureRelationId, 245, 12}, /* namenetext */
	{ProcedureRelationId, 246, 12}, /* btnametextcmp */
	{ProcedureRelationId, 247, 12}, /* texteqname */
	{ProcedureRelationId, 248, 12}, /* textltname */
	{ProcedureRelationId, 249, 12}, /* textlename */
	{ProcedureRelationId, 250, 12}, /* textgename */
	{ProcedureRelationId, 251, 12}, /* textgtname */
	{ProcedureRelationId, 252, 12}, /* textnename */
	{ProcedureRelationId, 253, 12}, /* bttextnamecmp */
	{ProcedureRelationId, 266, 12}, /* nameconcatoid */
	{ProcedureRelationId, 357, 13}, /* dist_bp */
	{ProcedureRelationId, 380, 13}, /* dist_sp */
	{ProcedureRelationId, 381, 13}, /* dist_bs */
	{ProcedureRelationId, 421, 13}, /* dist_pathp */
	{ProcedureRelationId, 425, 11}, /* hashint4extended */
	{ProcedureRelationId, 441, 11}, /* hashint2extended */
	{ProcedureRelationId, 442, 11}, /* hashint8extended */
	{ProcedureRelationId, 443, 11}, /* hashfloat4extended */
	{ProcedureRelationId, 444, 11}, /* hashfloat8extended */
	{ProcedureRelationId, 445, 11}, /* hashoidextended */
	{ProcedureRelationId, 446, 11}, /* hashcharextended */
	{ProcedureRelationId, 447, 11}, /* hashnameextended */
	{ProcedureRelationId, 448, 11}, /* hashtextextended */
	{ProcedureRelationId, 676, 12}, /* pg_indexam_progress_phasename */
	{ProcedureRelationId, 702, 13}, /* dist_lp */
	{ProcedureRelationId, 703, 13}, /* dist_bl */
	{ProcedureRelationId, 704, 13}, /* dist_ls */
	{ProcedureRelationId, 776, 11}, /* hashoidvectorextended */
	{ProcedureRelationId, 777, 11}, /* hash_aclitem_extended */
	{ProcedureRelationId, 778, 11}, /* hashmacaddrextended */
	{ProcedureRelationId, 779, 11}, /* hashinetextended */
	{ProcedureRelationId, 780, 11}, /* hash_numeric_extended */
	{ProcedureRelationId, 781, 11}, /* hashmacaddr8extended */
	{ProcedureRelationId, 782, 11}, /* hash_array_extended */
	{ProcedureRelationId, 785, 13}, /* dist_polyc */
	{ProcedureRelationId, 972, 11}, /* hashbpcharextended */
	{ProcedureRelationId, 1194, 12}, /* log10 */
	{ProcedureRelationId, 1284, 12}, /* date_trunc */
	{ProcedureRelationId, 1481, 12}, /* log10 */
	{ProcedureRelationId, 1986, 13}, /* similar_to_escape */
	{ProcedureRelationId, 1987, 13}, /* similar_to_escape */
	{ProcedureRelationId, 2233, 12}, /* hashtid */
	{ProcedureRelationId, 2234, 12}, /* hashtidextended */
	{ProcedureRelationId, 2462, 12}, /* sinh */
	{ProcedureRelationId, 2463, 12}, /* cosh */
	{ProcedureRelationId, 2464, 12}, /* tanh */
	{ProcedureRelationId, 2465, 12}, /* asinh */
	{ProcedureRelationId, 2466, 12}, /* acosh */
	{ProcedureRelationId, 2467, 12}, /* atanh */
	{ProcedureRelationId, 2580, 11}, /* float8 */
	{ProcedureRelationId, 3281, 11}, /* scale */
	{ProcedureRelationId, 3409, 11}, /* time_hash_extended */
	{ProcedureRelationId, 3410, 11}, /* timetz_hash_extended */
	{ProcedureRelationId, 3411, 11}, /* timestamp_hash_extended */
	{ProcedureRelationId, 3412, 11}, /* uuid_hash_extended */
	{ProcedureRelationId, 3413, 11}, /* pg_lsn_hash_extended */
	{ProcedureRelationId, 3414, 11}, /* hashenumextended */
	{ProcedureRelationId, 3416, 11}, /* jsonb_hash_extended */
	{ProcedureRelationId, 3417, 11}, /* hash_range_extended */
	{ProcedureRelationId, 3418, 11}, /* interval_hash_extended */
	{ProcedureRelationId, 3419, 11}, /* sha224 */
	{ProcedureRelationId, 3420, 11}, /* sha256 */
	{ProcedureRelationId, 3421, 11}, /* sha384 */
	{ProcedureRelationId, 3422, 11}, /* sha512 */
	{ProcedureRelationId, 3424, 12}, /* pg_partition_root */
	{ProcedureRelationId, 3449, 11}, /* numeric */
	{ProcedureRelationId, 3450, 11}, /* int2 */
	{ProcedureRelationId, 3451, 11}, /* int4 */
	{ProcedureRelationId, 3452, 11}, /* int8 */
	{ProcedureRelationId, 3453, 11}, /* float4 */
	{ProcedureRelationId, 3556, 11}, /* bool */
	{ProcedureRelationId, 3696, 11}, /* starts_with */
	{ProcedureRelationId, 3813, 17}, /* xmltext */
	{ProcedureRelationId, 4004, 12}, /* jsonpath_send */
	{ProcedureRelationId, 4005, 12}, /* jsonb_path_exists */
	{ProcedureRelationId, 4007, 12}, /* jsonb_path_query_array */
	{ProcedureRelationId, 4008, 12}, /* jsonb_path_query_first */
	{ProcedureRelationId, 4009, 12}, /* jsonb_path_match */
	{ProcedureRelationId, 4010, 12}, /* jsonb_path_exists_opr */
	{ProcedureRelationId, 4011, 12}, /* jsonb_path_match_opr */
	{ProcedureRelationId, 4126, 11}, /* in_range */
	{ProcedureRelationId, 4127, 11}, /* in_range */
	{ProcedureRelationId, 4128, 11}, /* in_range */
	{ProcedureRelationId, 4129, 11}, /* in_range */
	{ProcedureRelationId, 4130, 11}, /* in_range */
	{ProcedureRelationId, 4131, 11}, /* in_range */
	{ProcedureRelationId, 4132, 11}, /* in_range */
	{ProcedureRelationId, 4133, 11}, /* in_range */
	{ProcedureRelationId, 4134, 11}, /* in_range */
	{ProcedureRelationId, 4136, 11}, /* in_range */
	{ProcedureRelationId, 4137, 11}, /* in_range */
	{ProcedureRelationId, 4138, 11}, /* in_range */
	{ProcedureRelationId, 4139, 11}, /* in_range */
	{ProcedureRelationId, 4140, 11}, /* in_range */
	{ProcedureRelationId, 4141, 11}, /* in_range */
	{ProcedureRelationId, 4187, 13}, /* pg_lsn_larger */
	{ProcedureRelationId, 4188, 13}, /* pg_lsn_smaller */
	{ProcedureRelationId, 4189, 13}, /* max */
	{ProcedureRelationId, 4190, 13}, /* min */
	{ProcedureRelationId, 4197, 13}, /* regcollationsend */
	{ProcedureRelationId, 4214, 11}, /* jsonb_to_tsvector */
	{ProcedureRelationId, 4216, 11}, /* json_to_tsvector */
	{ProcedureRelationId, 4228, 14}, /* range_merge */
	{ProcedureRelationId, 4235, 14}, /* lower */
	{ProcedureRelationId, 4236, 14}, /* upper */
	{ProcedureRelationId, 4237, 14}, /* isempty */
	{ProcedureRelationId, 4238, 14}, /* lower_inc */
	{ProcedureRelationId, 4239, 14}, /* upper_inc */
	{ProcedureRelationId, 4240, 14}, /* lower_inf */
	{ProcedureRelationId, 4241, 14}, /* upper_inf */
	{ProcedureRelationId, 4244, 14}, /* multirange_eq */
	{ProcedureRelationId, 4245, 14}, /* multirange_ne */
	{ProcedureRelationId, 4246, 14}, /* range_overlaps_multirange */
	{ProcedureRelationId, 4247, 14}, /* multirange_overlaps_range */
	{ProcedureRelationId, 4248, 14}, /* multirange_overlaps_multirange */
	{ProcedureRelationId, 4249, 14}, /* multirange_contains_elem */
	{ProcedureRelationId, 4250, 14}, /* multirange_contains_range */
	{ProcedureRelationId, 4251, 14}, /* multirange_contains_multirange */
	{ProcedureRelationId, 4252, 14}, /* elem_contained_by_multirange */
	{ProcedureRelationId, 4253, 14}, /* range_contained_by_multirange */
	{ProcedureRelationId, 4254, 14}, /* multirange_contained_by_multirange */
	{ProcedureRelationId, 4255, 14}, /* range_adjacent_multirange */
	{ProcedureRelationId, 4256, 14}, /* multirange_adjacent_multirange */
	{ProcedureRelationId, 4257, 14}, /* multirange_adjacent_range */
	{ProcedureRelationId, 4258, 14}, /* range_before_multirange */
	{ProcedureRelationId, 4259, 14}, /* multirange_before_range */
	{ProcedureRelationId, 4260, 14}, /* multirange_before_multirange */
	{ProcedureRelationId, 4261, 14}, /* range_after_multirange */
	{ProcedureRelationId, 4262, 14}, /* multirange_after_range */
	{ProcedureRelationId, 4263, 14}, /* multirange_after_multirange */
	{ProcedureRelationId, 4264, 14}, /* range_overleft_multirange */
	{ProcedureRelationId, 4265, 14}, /* multirange_overleft_range */
	{ProcedureRelationId, 4266, 14}, /* multirange_overleft_multirange */
	{ProcedureRelationId, 4267, 14}, /* range_overright_multirange */
	{ProcedureRelationId, 4268, 14}, /* multirange_overright_range */
	{ProcedureRelationId, 4269, 14}, /* multirange_overright_multirange */
	{ProcedureRelationId, 4270, 14}, /* multirange_union */
	{ProcedureRelationId, 4271, 14}, /* multirange_minus */
	{ProcedureRelationId, 4272, 14}, /* multirange_intersect */
	{ProcedureRelationId, 4273, 14}, /* multirange_cmp */
	{ProcedureRelationId, 4274, 14}, /* multirange_lt */
	{ProcedureRelationId, 4275, 14}, /* multirange_le */
	{ProcedureRelationId, 4276, 14}, /* multirange_ge */
	{ProcedureRelationId, 4277, 14}, /* multirange_gt */
	{ProcedureRelationId, 4278, 14}, /* hash_multirange */
	{ProcedureRelationId, 4279, 14}, /* hash_multirange_extended */
	{ProcedureRelationId, 4280, 14}, /* int4multirange */
	{ProcedureRelationId, 4281, 14}, /* int4multirange */
	{ProcedureRelationId, 4282, 14}, /* int4multirange */
	{ProcedureRelationId, 4283, 14}, /* nummultirange */
	{ProcedureRelationId, 4284, 14}, /* nummultirange */
	{ProcedureRelationId, 4285, 14}, /* nummultirange */
	{ProcedureRelationId, 4286, 14}, /* tsmultirange */
	{ProcedureRelationId, 4287, 14}, /* tsmultirange */
	{ProcedureRelationId, 4288, 14}, /* tsmultirange */
	{ProcedureRelationId, 4289, 14}, /* tstzmultirange */
	{ProcedureRelationId, 4290, 14}, /* tstzmultirange */
	{ProcedureRelationId, 4291, 14}, /* tstzmultirange */
	{ProcedureRelationId, 4292, 14}, /* datemultirange */
	{ProcedureRelationId, 4293, 14}, /* datemultirange */
	{ProcedureRelationId, 4294, 14}, /* datemultirange */
	{ProcedureRelationId, 4295, 14}, /* int8multirange */
	{ProcedureRelationId, 4296, 14}, /* int8multirange */
	{ProcedureRelationId, 4297, 14}, /* int8multirange */
	{ProcedureRelationId, 4298, 14}, /* multirange */
	{ProcedureRelationId, 4301, 14}, /* range_agg */
	{ProcedureRelationId, 4350, 13}, /* normalize */
	{ProcedureRelationId, 4351, 13}, /* is_normalized */
	{ProcedureRelationId, 4388, 14}, /* multirange_intersect_agg_transfn */
	{ProcedureRelationId, 4389, 14}, /* range_intersect_agg */
	{ProcedureRelationId, 4401, 14}, /* range_intersect_agg_transfn */
	{ProcedureRelationId, 4450, 14}, /* range_intersect_agg */
	{ProcedureRelationId, 4541, 14}, /* range_contains_multirange */
	{ProcedureRelationId, 4542, 14}, /* multirange_contained_by_range */
	{ProcedureRelationId, 4549, 17}, /* unicode_version */
	{ProcedureRelationId, 5007, 11}, /* websearch_to_tsquery */
	{ProcedureRelationId, 5011, 11}, /* spg_poly_quad_compress */
	{ProcedureRelationId, 5022, 14}, /* pg_lsn_pli */
	{ProcedureRelationId, 5023, 14}, /* numeric_pl_pg_lsn */
	{ProcedureRelationId, 5024, 14}, /* pg_lsn_mii */
	{ProcedureRelationId, 5028, 11}, /* satisfies_hash_partition */
	{ProcedureRelationId, 5034, 13}, /* xid8lt */
	{ProcedureRelationId, 5035, 13}, /* xid8gt */
	{ProcedureRelationId, 5036, 13}, /* xid8le */
	{ProcedureRelationId, 5037, 13}, /* xid8ge */
	{ProcedureRelationId, 5042, 13}, /* min_scale */
	{ProcedureRelationId, 5043, 13}, /* trim_scale */
	{ProcedureRelationId, 5044, 13}, /* gcd */
	{ProcedureRelationId, 5045, 13}, /* gcd */
	{ProcedureRelationId, 5046, 13}, /* lcm */
	{ProcedureRelationId, 5047, 13}, /* lcm */
	{ProcedureRelationId, 5048, 13}, /* gcd */
	{ProcedureRelationId, 5049, 13}, /* lcm */
	{ProcedureRelationId, 5050, 13}, /* btvarstrequalimage */
	{ProcedureRelationId, 5051, 13}, /* btequalimage */
	{ProcedureRelationId, 5054, 13}, /* jsonb_set_lax */
	{ProcedureRelationId, 5058, 13}, /* pg_snapshot_send */
	{ProcedureRelationId, 5062, 13}, /* pg_snapshot_xmin */
	{ProcedureRelationId, 5063, 13}, /* pg_snapshot_xmax */
	{ProcedureRelationId, 5065, 13}, /* pg_visible_in_snapshot */
	{ProcedureRelationId, 5071, 13}, /* xid */
	{ProcedureRelationId, 5083, 13}, /* xid8send */
	{ProcedureRelationId, 5084, 13}, /* xid8eq */
	{ProcedureRelationId, 5085, 13}, /* xid8ne */
	{ProcedureRelationId, 5096, 13}, /* xid8cmp */
	{ProcedureRelationId, 5097, 15}, /* xid8_larger */
	{ProcedureRelationId, 5098, 15}, /* xid8_smaller */
	{ProcedureRelationId, 5099, 15}, /* max */
	{ProcedureRelationId, 5100, 15}, /* min */
	{ProcedureRelationId, 6099, 17}, /* icu_unicode_version */
	{ProcedureRelationId, 6103, 14}, /* pg_lsn */
	{ProcedureRelationId, 6105, 17}, /* unicode_assigned */
	{ProcedureRelationId, 6162, 14}, /* bit_count */
	{ProcedureRelationId, 6163, 14}, /* bit_count */
	{ProcedureRelationId, 6164, 14}, /* bit_xor */
	{ProcedureRelationId, 6165, 14}, /* bit_xor */
	{ProcedureRelationId, 6166, 14}, /* bit_xor */
	{ProcedureRelationId, 6167, 14}, /* bit_xor */
	{ProcedureRelationId, 6172, 14}, /* trim_array */
	{ProcedureRelationId, 6177, 14}, /* date_bin */
	{ProcedureRelationId, 6178, 14}, /* date_bin */
	{ProcedureRelationId, 6192, 14}, /* hash_record */
	{ProcedureRelationId, 6193, 14}, /* hash_record_extended */
	{ProcedureRelationId, 6195, 14}, /* ltrim */
	{ProcedureRelationId, 6196, 14}, /* rtrim */
	{ProcedureRelationId, 6198, 14}, /* unistr */
	{ProcedureRelationId, 6199, 14}, /* extract */
	{ProcedureRelationId, 6200, 14}, /* extract */
	{ProcedureRelationId, 6201, 14}, /* extract */
	{ProcedureRelationId, 6202, 14}, /* extract */
	{ProcedureRelationId, 6204, 14}, /* extract */
	{ProcedureRelationId, 6219, 16}, /* erf */
	{ProcedureRelationId, 6220, 16}, /* erfc */
	{ProcedureRelationId, 6222, 16}, /* date_add */
	{ProcedureRelationId, 6227, 15}, /* range_agg */
	{ProcedureRelationId, 6251, 15}, /* regexp_replace */
	{ProcedureRelationId, 6252, 15}, /* regexp_replace */
	{ProcedureRelationId, 6253, 15}, /* regexp_replace */
	{ProcedureRelationId, 6254, 15}, /* regexp_count */
	{ProcedureRelationId, 6255, 15}, /* regexp_count */
	{ProcedureRelationId, 6256, 15}, /* regexp_count */
	{ProcedureRelationId, 6257, 15}, /* regexp_instr */
	{ProcedureRelationId, 6258, 15}, /* regexp_instr */
	{ProcedureRelationId, 6259, 15}, /* regexp_instr */
	{ProcedureRelationId, 6260, 15}, /* regexp_instr */
	{ProcedureRelationId, 6261, 15}, /* regexp_instr */
	{ProcedureRelationId, 6262, 15}, /* regexp_instr */
	{ProcedureRelationId, 6263, 15}, /* regexp_like */
	{ProcedureRelationId, 6264, 15}, /* regexp_like */
	{ProcedureRelationId, 6265, 15}, /* regexp_substr */
	{ProcedureRelationId, 6266, 15}, /* regexp_substr */
	{ProcedureRelationId, 6267, 15}, /* regexp_substr */
	{ProcedureRelationId, 6268, 15}, /* regexp_substr */
	{ProcedureRelationId, 6269, 15}, /* regexp_substr */
	{ProcedureRelationId, 6273, 16}, /* date_subtract */
	{ProcedureRelationId, 6288, 16}, /* jsonb_object_agg_strict */
	{ProcedureRelationId, 6289, 16}, /* jsonb_object_agg_unique */
	{ProcedureRelationId, 6290, 16}, /* jsonb_object_agg_unique_strict */
	{ProcedureRelationId, 6291, 16}, /* any_value */
	{ProcedureRelationId, 6292, 16}, /* any_value_transfn */
	{ProcedureRelationId, 6330, 17}, /* to_bin */
	{ProcedureRelationId, 6331, 17}, /* to_bin */
	{ProcedureRelationId, 6332, 17}, /* to_oct */
	{ProcedureRelationId, 6333, 17}, /* to_oct */
	{ProcedureRelationId, 6342, 17}, /* uuid_extract_timestamp */
	{ProcedureRelationId, 6343, 17}, /* uuid_extract_version */
	{ProcedureRelationId, 6347, 18}, /* gist_translate_cmptype_common */
	{ProcedureRelationId, 6364, 18}, /* crc32 */
	{ProcedureRelationId, 6365, 18}, /* crc32c */
	{ProcedureRelationId, 6367, 18}, /* bytea */
	{ProcedureRelationId, 6368, 18}, /* bytea */
	{ProcedureRelationId, 6369, 18}, /* bytea */
	{ProcedureRelationId, 6370, 18}, /* int2 */
	{ProcedureRelationId, 6371, 18}, /* int4 */
	{ProcedureRelationId, 6372, 18}, /* int8 */
	{ProcedureRelationId, 6373, 18}, /* max */
	{ProcedureRelationId, 6374, 18}, /* min */
	{ProcedureRelationId, 6375, 18}, /* record_larger */
	{ProcedureRelationId, 6376, 18}, /* record_smaller */
	{ProcedureRelationId, 6381, 18}, /* array_reverse */
	{ProcedureRelationId, 6382, 18}, /* reverse */
	{ProcedureRelationId, 6383, 18}, /* gamma */
	{ProcedureRelationId, 6384, 18}, /* lgamma */
	{ProcedureRelationId, 6388, 18}, /* array_sort */
	{ProcedureRelationId, 6389, 18}, /* array_sort */
	{ProcedureRelationId, 6390, 18}, /* array_sort */
	{ProcedureRelationId, 6393, 18}, /* bytea_larger */
	{ProcedureRelationId, 6394, 18}, /* bytea_smaller */
	{ProcedureRelationId, 6395, 18}, /* max */
	{ProcedureRelationId, 6396, 18}, /* min */
	{ProcedureRelationId, 6412, 18}, /* casefold */
	{ProcedureRelationId, 6413, 18}, /* hashbytea */
	{ProcedureRelationId, 6414, 18}, /* hashbyteaextended */
	{ProcedureRelationId, 6415, 18}, /* hashdate */
	{ProcedureRelationId, 6416, 18}, /* hashdateextended */
	{ProcedureRelationId, 6417, 18}, /* hashbool */
	{ProcedureRelationId, 6418, 18}, /* hashboolextended */
	{ProcedureRelationId, 6419, 18}, /* hashxid */
	{ProcedureRelationId, 6420, 18}, /* hashxidextended */
	{ProcedureRelationId, 6421, 18}, /* hashxid8 */
	{ProcedureRelationId, 6422, 18}, /* hashxid8extended */
	{ProcedureRelationId, 6423, 18}, /* hashcid */
	{ProcedureRelationId, 6424, 18}, /* hashcidextended */
	{ProcedureRelationId, 6425, 18}, /* timestamptz_hash */
	{ProcedureRelationId, 6426, 18}, /* timestamptz_hash_extended */
	{OperatorRelationId, 254, 12}, /* = */
	{OperatorRelationId, 255, 12}, /* < */
	{OperatorRelationId, 256, 12}, /* <= */
	{OperatorRelationId, 257, 12}, /* >= */
	{OperatorRelationId, 258, 12}, /* > */
	{OperatorRelationId, 259, 12}, /* <> */
	{OperatorRelationId, 260, 12}, /* = */
	{OperatorRelationId, 261, 12}, /* < */
	{OperatorRelationId, 262, 12}, /* <= */
	{OperatorRelationId, 263, 12}, /* >= */
	{OperatorRelationId, 264, 12}, /* > */
	{OperatorRelationId, 265, 12}, /* <> */
	{OperatorRelationId, 606, 13}, /* <-> */
	{OperatorRelationId, 760, 13}, /* <-> */
	{OperatorRelationId, 761, 13}, /* <-> */
	{OperatorRelationId, 762, 13}, /* <-> */
	{OperatorRelationId, 763, 13}, /* <-> */
	{OperatorRelationId, 784, 13}, /* <-> */
	{OperatorRelationId, 1382, 13}, /* <-> */
	{OperatorRelationId, 1383, 13}, /* <-> */
	{OperatorRelationId, 2860, 14}, /* = */
	{OperatorRelationId, 2861, 14}, /* <> */
	{OperatorRelationId, 2862, 14}, /* < */
	{OperatorRelationId, 2863, 14}, /* <= */
	{OperatorRelationId, 2864, 14}, /* >= */
	{OperatorRelationId, 2865, 14}, /* > */
	{OperatorRelationId, 2866, 14}, /* && */
	{OperatorRelationId, 2867, 14}, /* && */
	{OperatorRelationId, 2868, 14}, /* && */
	{OperatorRelationId, 2869, 14}, /* @> */
	{OperatorRelationId, 2870, 14}, /* @> */
	{OperatorRelationId, 2871, 14}, /* @> */
	{OperatorRelationId, 2872, 14}, /* <@ */
	{OperatorRelationId, 2873, 14}, /* <@ */
	{OperatorRelationId, 2874, 14}, /* <@ */
	{OperatorRelationId, 2875, 14}, /* &< */
	{OperatorRelationId, 2876, 14}, /* &< */
	{OperatorRelationId, 2877, 14}, /* &< */
	{OperatorRelationId, 3585, 14}, /* &> */
	{OperatorRelationId, 3877, 11}, /* ^@ */
	{OperatorRelationId, 4012, 12}, /* @? */
	{OperatorRelationId, 4013, 12}, /* @@ */
	{OperatorRelationId, 4035, 14}, /* &> */
	{OperatorRelationId, 4142, 14}, /* &> */
	{OperatorRelationId, 4161, 14}, /* |>> */
	{OperatorRelationId, 4162, 14}, /* <<| */
	{OperatorRelationId, 4179, 14}, /* -|- */
	{OperatorRelationId, 4180, 14}, /* -|- */
	{OperatorRelationId, 4198, 14}, /* -|- */
	{OperatorRelationId, 4392, 14}, /* + */
	{OperatorRelationId, 4393, 14}, /* - */
	{OperatorRelationId, 4394, 14}, /* * */
	{OperatorRelationId, 4395, 14}, /* << */
	{OperatorRelationId, 4396, 14}, /* << */
	{OperatorRelationId, 4397, 14}, /* << */
	{OperatorRelationId, 4398, 14}, /* >> */
	{OperatorRelationId, 4399, 14}, /* >> */
	{OperatorRelationId, 4400, 14}, /* >> */
	{OperatorRelationId, 4539, 14}, /* @> */
	{OperatorRelationId, 4540, 14}, /* <@ */
	{OperatorRelationId, 5025, 14}, /* + */
	{OperatorRelationId, 5026, 14}, /* + */
	{OperatorRelationId, 5027, 14}, /* - */
	{OperatorRelationId, 5068, 13}, /* = */
	{OperatorRelationId, 5072, 13}, /* <> */
	{OperatorRelationId, 5073, 13}, /* < */
	{OperatorRelationId, 5074, 13}, /* > */
	{OperatorRelationId, 5075, 13}, /* <= */
	{OperatorRelationId, 5076, 13}, /* >= */
	{TypeRelationId, 4072, 12}, /* jsonpath */
	{TypeRelationId, 4191, 13}, /* regcollation */
	{TypeRelationId, 4451, 14}, /* int4multirange */
	{TypeRelationId, 4532, 14}, /* nummultirange */
	{TypeRelationId, 4533, 14}, /* tsmultirange */
	{TypeRelationId, 4534, 14}, /* tstzmultirange */
	{TypeRelationId, 4535, 14}, /* datemultirange */
	{TypeRelationId, 4536, 14}, /* int8multirange */
	{TypeRelationId, 4600, 14}, /* pg_brin_bloom_summary */
	{TypeRelationId, 4601, 14}, /* pg_brin_minmax_multi_summary */
	{TypeRelationId, 5017, 12}, /* pg_mcv_list */
	{TypeRelationId, 5038, 13}, /* pg_snapshot */
	{TypeRelationId, 5069, 13}, /* xid8 */
};

/* Order by class, then OID; classes stand in the table as they come here. */
static int
compare(const void *a, const void *b)
{
	const NewerObject *x = a;
	const NewerObject *y = b;

	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

/* The part of the table that is of one class. */
static const NewerObject *
part_of(Oid classid, int *n)
{
	const NewerObject *first = NULL;

	*n = 0;
	for (size_t i = 0; i < lengthof(newer_objects); i++)
		if (newer_objects[i].classid == classid)
		{
			if (first == NULL)
				first = &newer_objects[i];
			(*n)++;
		}
	return first;
}

/* Find the version that brought a built-in object, as PQserverVersion has it; 0: an old one. */
static int
version_of(Oid objectid, Oid classid)
{
	static const Oid classes[] = {ProcedureRelationId, OperatorRelationId, TypeRelationId};
	static const NewerObject *parts[lengthof(classes)];
	static int	lengths[lengthof(classes)];
	NewerObject key = {classid, (uint16) objectid, 0};

	if (!pgml_is_builtin(objectid))
		return 0;
	for (size_t i = 0; i < lengthof(classes); i++)
	{
		const NewerObject *found;

		if (classes[i] != classid)
			continue;
		if (parts[i] == NULL)
			parts[i] = part_of(classid, &lengths[i]);
		found = bsearch(&key, parts[i], lengths[i], sizeof(NewerObject), compare);
		return found != NULL ? found->since * 10000 : 0;
	}
	return 0;
}

bool
pgml_builtin_is_there(Oid objectid, Oid classid, const PgmlOptions *options)
{
	/* a remote that is no older than we are has all that there is here */
	return options->server_version / 10000 >= pgml_major_version() ||
		version_of(objectid, classid) <= options->server_version;
}

bool
pgml_with_ties_is_there(const PgmlOptions *options)
{
	return options->server_version >= WITH_TIES_SINCE;
}

static bool
is_newer_function(Oid funcid, void *context)
{
	return version_of(funcid, ProcedureRelationId) > 0;
}

/* Stops at something of the table. */
static bool
uses_newer(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return ((Query *) node)->limitOption == LIMIT_OPTION_WITH_TIES ||
			query_tree_walker((Query *) node, uses_newer, context, 0);
	if (check_functions_in_node(node, is_newer_function, NULL))
		return true;
	if ((IsA(node, Var) || IsA(node, Const) || IsA(node, Param)) &&
		version_of(exprType(node), TypeRelationId) > 0)
		return true;
	return expression_tree_walker(node, uses_newer, context);
}

bool
pgml_needs_version(Query *query)
{
	return uses_newer((Node *) query, NULL);
}
