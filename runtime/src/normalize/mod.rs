//! Records and their drift become Arrow tables: naming, child tables, ids, dynamic columns.
