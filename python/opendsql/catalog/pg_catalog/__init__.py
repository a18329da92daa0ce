"""Rows of pg_catalog, one file per neighbourhood of relations; each exports BUILDERS: relation name -> builder.

    classes      pg_class, pg_attribute, pg_attrdef, pg_index, pg_sequence, pg_description, pg_depend, pg_namespace
    constraints  pg_constraint
    types        pg_type, pg_range, pg_proc, pg_operator, pg_cast, pg_collation, pg_aggregate
    access       pg_am, pg_opclass, pg_opfamily, pg_amop, pg_amproc
    roles        pg_authid, pg_roles, pg_user, pg_auth_members, pg_database, pg_default_acl
    system_views pg_tables, pg_indexes, pg_views, pg_sequences, pg_settings, pg_stat_*, pg_timezone_names

    definitions  texts of definitions: CREATE INDEX, constraints, views (pg_get_*def)
"""
