//! The database after loads, with DuckDB 1 and DuckDB 2. The tests for every destination are in `load/conformance.rs`.

mod child;
pub mod faults;
mod find;
mod lakes;

use std::fs;
use std::path::{Path, PathBuf};

use etlgen_testkit::duckdb::Library;
use etlgen_testkit::skip;

use super::*;
use crate::conformance;
use crate::load::LoadStatus;
use crate::load::conformance::Place as Tested;
use crate::load::conformance::support::*;
use crate::load::sql::Value;
use crate::schema::Disposition;
use crate::state::StateRow;

/// A database in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// With the library of DuckDB 1.
    One,
    /// With the library of DuckDB 2.
    Two,
    /// A DuckLake whose catalogue is the file.
    Lake,
}

const KINDS: [Kind; 3] = [Kind::One, Kind::Two, Kind::Lake];

impl Kind {
    /// Returns the options of its URLs; none if this machine cannot have it.
    fn options(self) -> Option<String> {
        let options = || {
            let library = match self {
                Kind::One | Kind::Lake => Library::Npm.path()?,
                Kind::Two => Library::Wheel.path()?,
            };
            let driver = format!("driver={}", library.display());
            Ok::<_, String>(match self {
                Kind::Lake => {
                    let extensions = etlgen_testkit::duckdb::extensions()?;
                    format!("{driver}&extensions={}", extensions.display())
                }
                Kind::One | Kind::Two => driver,
            })
        };
        let options = options();
        if let Err(why) = &options {
            skip(etlgen_testkit::Kind::Service, why);
        }
        options.ok()
    }

    /// Returns the URL of the file of a test.
    fn url(self, dir: &Path) -> String {
        self.url_of(&dir.join("data.db"))
    }

    fn url_of(self, file: &Path) -> String {
        let options = self.options().unwrap();
        format!("{}:{}?{options}", self.scheme(), file.display())
    }

    fn scheme(self) -> &'static str {
        match self {
            Kind::One | Kind::Two => "duckdb",
            Kind::Lake => DUCKLAKE,
        }
    }

    fn destination(self, dir: &Path) -> DuckDb {
        of_url(&self.url(dir))
    }

    /// Returns a connection to a file.
    fn client(self, file: &Path) -> Client {
        connect(&self.url_of(file), Access::Write)
    }
}

/// Returns the destination of a URL.
fn of_url(url: &str) -> DuckDb {
    match url.split_once(':') {
        Some((DUCKLAKE, rest)) => DuckDb::lake(rest),
        Some((_, rest)) => DuckDb::new(rest),
        None => panic!("{url}"),
    }
}

fn connect(url: &str, access: Access) -> Client {
    let address = Address::parse(&DestinationUrl::parse(url)).unwrap();
    Client::connect(&address, None, access).unwrap()
}

/// The file of a kind, for the tests of every destination.
struct File<const KIND: usize>;

type One = File<0>;
type Two = File<1>;
type Lake = File<2>;

/// Returns the kinds that this machine has.
fn kinds() -> Vec<Kind> {
    KINDS
        .into_iter()
        .filter(|kind| kind.options().is_some())
        .collect()
}

/// Copies a file and its log, as they are after a kill.
fn copy(from: &Path, to: &Path) {
    for name in ["data.db", "data.db.wal"] {
        let (from, to) = (from.join(name), to.join(name));
        match from.exists() {
            true => drop(fs::copy(from, to).unwrap()),
            false => drop(fs::remove_file(to)),
        }
    }
}

/// Returns how a column is read, as text.
fn expression(name: &str, ty: &str) -> String {
    let name = format!("\"{}\"", name.replace('"', "\"\""));
    match ty {
        "BOOLEAN" => format!("CAST(CAST({name} AS integer) AS varchar)"),
        "BLOB" => format!("to_base64({name})"),
        "TIMESTAMP WITH TIME ZONE" => {
            format!("strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')")
        }
        _ => format!("CAST({name} AS varchar)"),
    }
}

impl<const KIND: usize> File<KIND> {
    fn destination(dir: &Path) -> DuckDb {
        KINDS[KIND].destination(dir)
    }

    /// Reads a copy: the file itself may be open.
    fn read<T>(dir: &Path, read: impl FnOnce(&mut Client) -> Result<T>) -> T {
        let seen = tempfile::tempdir().unwrap();
        copy(dir, seen.path());
        let mut db = connect(&KINDS[KIND].url(seen.path()), Access::Read);
        read(&mut db).unwrap()
    }

    fn query(dir: &Path, sql: &str) -> Vec<Vec<Value>> {
        Self::read(dir, |db| db.query(sql, &[]))
    }
}

impl<const KIND: usize> Tested for File<KIND> {
    fn is_available() -> bool {
        KINDS[KIND].options().is_some()
    }

    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(Self::destination(dir))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let rows = Self::read(dir, |db| {
            let types = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $1";
            let types = db.query(types, &[table.into()])?;
            if types.is_empty() {
                // A missing table has no rows.
                return Ok(Vec::new());
            }
            let expression = |name: &&str| {
                let found = types.iter().find(|row| row[0].text() == **name);
                found.map_or("NULL".to_owned(), |row| expression(name, &row[1].text()))
            };
            let columns: Vec<String> = columns.iter().map(expression).collect();
            let table = db.dialect().quoted(table);
            db.query(&format!("SELECT {} FROM {table}", columns.join(", ")), &[])
        });
        let texts = |row: Vec<Value>| row.iter().map(Value::optional).collect();
        rows.into_iter().map(texts).collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        let mut db = KINDS[KIND].client(&dir.join("data.db"));
        // The case of names does not matter.
        let name = db.dialect().quoted(&table.to_uppercase());
        db.script(&format!("CREATE VIEW {name} AS SELECT 1 AS x"))
            .is_ok()
    }

    fn lose_next_answer(dir: &Path) {
        faults::lose_next_answer(dir);
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = Self::destination(dir);
        killed.open(&load("7")).unwrap();
        killed.write(chunk.clone()).unwrap();
        let met = drifted("killed", crate::schema::Done::Columns);
        killed.drift("orders", &[(met, 1)]).unwrap();
        let left = tempfile::tempdir().unwrap();
        copy(dir, left.path());
        drop(killed);
        copy(left.path(), dir);
    }
}

mod one {
    use super::*;
    conformance!(One);
}

mod two {
    use super::*;
    conformance!(Two);
}

mod lake {
    use super::*;
    conformance!(Lake);
}

#[test]
fn columns_have_the_types_of_the_documentation() {
    fn check<P: Tested>(read: fn(&Path, &str) -> Vec<Vec<Value>>) {
        let dir = tempfile::tempdir().unwrap();
        let rows = crate::load::conformance::types::rows(&[]);
        run::<P>(
            dir.path(),
            "1.5",
            &[&[chunk_of(Disposition::Merge, vec![rows])]],
        );
        let types = "SELECT column_name || ' ' || lower(data_type) FROM duckdb_columns()
                     WHERE table_name = 'orders' ORDER BY column_index";
        let types = read(dir.path(), types);
        let types: Vec<String> = types.iter().map(|row| row[0].text()).collect();
        let wanted = [
            "_etl_id varchar",
            "bool boolean",
            "bigint bigint",
            "double double",
            "decimal decimal(38,9)",
            "text varchar",
            "uuid uuid",
            "json varchar",
            "binary blob",
            "timestamp timestamp with time zone",
            "date date",
        ];
        assert_eq!(types, wanted);
    }
    if One::is_available() {
        check::<One>(One::query);
    }
    if Two::is_available() {
        check::<Two>(Two::query);
    }
    if Lake::is_available() {
        check::<Lake>(Lake::query);
    }
}

/// Checks that rows come back into Arrow, over several pages, and that columns may have any name.
#[test]
fn rows_are_read_as_they_were_written() {
    fn check<P: Tested>(kind: Kind) {
        let dir = tempfile::tempdir().unwrap();
        let rows = crate::load::conformance::types::rows(&["rowid", "ctid", "_etl_row", "a\"b"]);
        let (schema, written) = (rows.schema.clone(), rows.rows.clone());
        let chunk = chunk_of(Disposition::Append, vec![rows]);
        run::<P>(dir.path(), "1", &[&[chunk]]);
        let names: Vec<&str> = schema.columns.iter().map(|column| &*column.name).collect();
        let read = |open: &mut dyn Destination, columns: &[&str]| {
            let mut found = Vec::new();
            let mut each = |rows: &RecordBatch| {
                found.push(rows.clone());
                Ok(())
            };
            open.scan(&schema, columns, &mut each).map(|()| found)
        };
        let mut open = opened::<P>(dir.path(), "2");
        assert_eq!(read(&mut *open, &names).unwrap(), [written]);
        drop(open);
        // Rows that somebody has changed to another type are not read.
        kind.client(&dir.path().join("data.db"))
            .script(
                "ALTER TABLE orders ALTER COLUMN bigint TYPE integer USING 1;
                     INSERT INTO orders (_etl_id) SELECT 'm' || range FROM range(10000)",
            )
            .unwrap();
        let mut open = opened::<P>(dir.path(), "3");
        let error = read(&mut *open, &["bigint"]).unwrap_err();
        let wanted = "`bigint` has values of another type";
        assert!(error.message().contains(wanted), "{error}");
        let pages = read(&mut *open, &["_etl_id"]).unwrap();
        let count: usize = pages.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(count, 10_004);
    }
    if One::is_available() {
        check::<One>(Kind::One);
    }
    if Two::is_available() {
        check::<Two>(Kind::Two);
    }
}

#[test]
fn loads_are_rolled_back_with_their_state() {
    fn check<P: Tested>() {
        let dir = tempfile::tempdir().unwrap();
        let state = |value: &str| StateChange::Put(StateRow::new("orders", "", value));
        for (id, records) in [
            ("1.5", &[("a", 1, &[1][..]), ("b", 2, &[])][..]),
            ("2.5", &[("b", 3, &[3]), ("c", 4, &[4])]),
        ] {
            let mut open = opened::<P>(dir.path(), id);
            open.write(brought_by(id, records)).unwrap();
            open.commit(&Commit::new(1, &[state(id)], &LoadStatus::Complete))
                .unwrap();
        }
        let mut open = P::at(dir.path());
        open.open(&LoadInfo::new("3.5", "shop", None)).unwrap();
        let done = open.rollback(&["2.5".to_owned()]).unwrap();
        // The load had replaced `b`.
        assert_eq!(done, [RolledBack::new("orders", Some(2), 1)]);
        assert_eq!(open.loads().unwrap()[1].status, LoadStatus::RolledBack);
        drop(open);
        assert_eq!(orders::<P>(dir.path()), ["a=1"]);
        assert_eq!(lines::<P>(dir.path()), ["a=1"]);
        let looked = P::at(dir.path()).look(&load("4.5")).unwrap();
        assert_eq!(looked.state, [StateRow::new("orders", "", "1.5")]);
    }
    if One::is_available() {
        check::<One>();
    }
    if Two::is_available() {
        check::<Two>();
    }
    if Lake::is_available() {
        check::<Lake>();
    }
}

/// DuckDB 1 cannot add a column to a table whose rows have changed in the same transaction.
#[test]
fn a_column_comes_after_rows_have_changed_and_indexes_and_columns_of_users_stay() {
    fn check<P: Tested>(read: fn(&Path, &str) -> Vec<Vec<Value>>, kind: Kind) {
        let dir = tempfile::tempdir().unwrap();
        let merge = |records: &[Rec<'_>], more| chunk_of(Disposition::Merge, tables(records, more));
        run::<P>(
            dir.path(),
            "1",
            &[&[merge(&[("a", 1, &[1]), ("b", 1, &[2])], None)]],
        );
        kind.client(&dir.path().join("data.db"))
            .script("CREATE INDEX mine ON orders (n); ALTER TABLE orders ADD COLUMN note text; UPDATE orders SET note = 'kept'")
            .unwrap();
        let mut open = opened::<P>(dir.path(), "2");
        open.write(merge(&[("a", 2, &[3])], None)).unwrap();
        open.write(merge(&[("a", 3, &[4]), ("c", 3, &[])], Some("more")))
            .unwrap();
        open.write(merge(&[("a", 4, &[5])], Some("later"))).unwrap();
        open.commit(&Commit::new(1, &[], &LoadStatus::Running))
            .unwrap();
        drop(open);
        assert_eq!(orders::<P>(dir.path()), ["a=4", "b=1", "c=3"]);
        assert_eq!(lines::<P>(dir.path()), ["a=5", "b=2"]);
        let rows = P::rows(dir.path(), "orders", &["_etl_id", "note", "more", "later"]);
        let text = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
        let mut rows: Vec<String> = rows
            .iter()
            .map(|row| row.iter().map(text).collect::<Vec<_>>().join(" "))
            .collect();
        rows.sort();
        assert_eq!(rows, ["a - - new", "b kept - -", "c - new -"]);
        let indexes = read(dir.path(), "SELECT index_name FROM duckdb_indexes()");
        assert_eq!(indexes, [[Value::from("mine")]]);
    }
    if One::is_available() {
        check::<One>(One::query, Kind::One);
    }
    if Two::is_available() {
        check::<Two>(Two::query, Kind::Two);
    }
}
