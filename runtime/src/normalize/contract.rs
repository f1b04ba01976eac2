//! Enforces the contract: decides whether a table, a column or a variant may be created, and takes back rows that are
//! left out.

use super::account::Account;
use super::place::Place;
use super::{At, Normalizer};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ColumnType, Contract, Done, Drifted, Entity, Mode, discards_rows};

/// The state of the enforcement.
#[derive(Default)]
pub(super) struct Keeper {
    pub contract: Contract,
    /// Data without a struct may create tables and columns, because it is loaded for the first time.
    pub first_load: bool,
    /// The current data has no struct and is loaded for the first time.
    pub free: bool,
    /// A violation that makes the resource fail.
    frozen: Option<Violation>,
    /// A violation that makes the current row be left out.
    broken: Option<Violation>,
    /// Everything created since the record started, if rows may have to be taken back.
    journal: Option<Vec<Made>>,
    pub account: Account,
}

/// Data that the contract does not allow.
#[derive(Clone, Debug)]
struct Violation {
    entity: Entity,
    table: String,
    keys: String,
    came: &'static str,
}

/// Something to take back together with its row.
pub(super) enum Made {
    /// A row of a table.
    Row(usize, usize),
    /// The last column of a table.
    Column(usize),
    /// The last table, a child of that one.
    Table(usize),
    Counted(Drifted),
}

/// A row in progress: the parts of the state from before it.
pub(super) struct OpenRow {
    mark: usize,
    outer: Option<Violation>,
}

impl Keeper {
    pub fn new(contract: Contract, first_load: bool) -> Self {
        Keeper {
            contract,
            first_load,
            ..Keeper::default()
        }
    }

    /// Starts to record everything that may have to be taken back.
    pub fn begin(&mut self) {
        self.journal = discards_rows(self.contract).then(Vec::new);
    }

    pub fn made(&mut self, made: Made) {
        if let Some(journal) = &mut self.journal {
            journal.push(made);
        }
    }

    fn count(&mut self, line: Drifted) {
        let line = self.account.add(line);
        self.made(Made::Counted(line));
    }

    /// Ends a record; fails if the contract freezes something in it.
    pub fn settle(&mut self) -> Result<()> {
        self.free = false;
        if let Some(journal) = &mut self.journal {
            journal.clear();
        }
        match self.frozen.take() {
            Some(violation) => Err(violation.error()),
            None => Ok(()),
        }
    }
}

impl Violation {
    fn error(&self) -> Error {
        let Violation {
            entity,
            table,
            keys,
            came,
        } = self;
        let wants = match entity {
            Entity::Tables => "would get a child table",
            Entity::Columns => "would get a column",
            Entity::Types => "would get a variant column",
        };
        Error::new(
            ErrorKind::Contract,
            format!("the contract freezes {entity}, and the table `{table}` {wants} for `{keys}`, because a value of type {came} arrived"),
        )
        .hint(format!("add it to the struct, never load it with `#[record(drop(\"…\"))]`, or allow it: `.contract(…)` on the resource, `sync --contract {entity}=evolve` for one run"))
    }
}

impl Normalizer {
    /// Returns whether the column for values of that type exists or may be created. If not, the
    /// violation is handled.
    pub(super) fn admits_column(&mut self, at: At, place: &Place, ty: ColumnType) -> bool {
        let table = &self.tables[at.table];
        let there = table.at(&place.path);
        let columns = &table.schema.columns;
        if there.iter().any(|column| columns[*column].ty == ty) {
            return true;
        }
        let entity = match there {
            [] if table.fresh || self.keeper.free => return true,
            [] => Entity::Columns,
            _ => Entity::Types,
        };
        self.judge(at, place, entity, ty.name())
    }

    /// Returns whether the child table for a list exists or may be created.
    pub(super) fn admits_table(&mut self, at: At, place: &Place) -> bool {
        let there = self.tables[at.table].children.contains_key(&place.path);
        there || self.keeper.free || self.judge(at, place, Entity::Tables, "list")
    }

    fn judge(&mut self, at: At, place: &Place, entity: Entity, came: &'static str) -> bool {
        let mode = self.keeper.contract.mode(entity);
        if mode == Mode::Evolve {
            return true;
        }
        let violation = Violation {
            entity,
            table: self.tables[at.table].schema.name.clone(),
            keys: place.dotted(),
            came,
        };
        match (mode, entity) {
            (Mode::Freeze, _) => {
                self.keeper.frozen.get_or_insert(violation);
            }
            (Mode::DiscardRow, Entity::Columns | Entity::Types) => {
                self.keeper.broken.get_or_insert(violation);
            }
            // The rows of a table that may not be created count as a value of the row above.
            _ => self.keeper.count(violation.line(Done::DiscardedValue)),
        }
        false
    }

    /// Counts a value that the struct does not declare.
    pub(super) fn count(&mut self, at: At, place: &Place, came: &'static str, done: Done) {
        self.keeper.count(Drifted {
            table: self.tables[at.table].schema.name.clone(),
            keys: place.dotted(),
            came,
            done,
        });
    }

    /// Opens a row; called before its first value.
    pub(super) fn open_row(&mut self) -> OpenRow {
        OpenRow {
            mark: self.keeper.journal.as_ref().map_or(0, Vec::len),
            outer: self.keeper.broken.take(),
        }
    }

    /// Closes a row. If it violated the contract, it is left out with everything that was created for it.
    pub(super) fn close_row(&mut self, row: OpenRow) {
        let Some(violation) = std::mem::replace(&mut self.keeper.broken, row.outer) else {
            return;
        };
        let journal = self.keeper.journal.as_mut();
        let made = journal.map(|journal| journal.split_off(row.mark));
        for made in made.into_iter().flatten().rev() {
            match made {
                Made::Row(table, row) => self.tables[table].dropped.push(row),
                Made::Column(table) => self.tables[table].remove_last_column(),
                Made::Table(parent) => {
                    if let Some(table) = self.tables.pop() {
                        self.names.release(&table.schema.name);
                        self.tables[parent].children.remove(&table.schema.path);
                    }
                }
                Made::Counted(line) => self.keeper.account.take_back(&line),
            }
        }
        self.keeper.count(violation.line(Done::DiscardedRow));
    }
}

impl Violation {
    fn line(self, done: Done) -> Drifted {
        Drifted {
            table: self.table,
            keys: self.keys,
            came: self.came,
            done,
        }
    }
}
