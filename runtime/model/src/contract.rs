//! Schema contracts: how tables may change when the API sends more than the struct declares.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The treatment of a value that needs a new table, column or variant.
///
/// ```
/// use etlgen_model::{Contract, Mode};
///
/// // Values of another type than their column's are left out, and counted.
/// let contract = Contract::evolve().types(Mode::DiscardValue);
/// assert_eq!(contract.to_string(), "tables=evolve, columns=evolve, types=discard_value");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is created.
    #[default]
    Evolve,
    /// The resource fails, and nothing of the batch is loaded.
    Freeze,
    /// The row that holds the value is left out, with its child rows, and counted; its parent
    /// stays. No row of a table that does not exist is loaded.
    DiscardRow,
    /// The value is left out, and counted.
    DiscardValue,
}

impl Mode {
    /// All of them, by their names.
    pub const ALL: [(Mode, &str); 4] = [
        (Mode::Evolve, "evolve"),
        (Mode::Freeze, "freeze"),
        (Mode::DiscardRow, "discard_row"),
        (Mode::DiscardValue, "discard_value"),
    ];

    /// Returns the mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let found = Mode::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(mode, _)| *mode)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Mode::ALL.iter().find(|(mode, _)| mode == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// The kind of addition that a mode of a contract applies to.
///
/// ```
/// use etlgen_model::{Contract, Entity, Mode};
///
/// let contract = Contract::evolve().with(Entity::Columns, Mode::Freeze);
/// assert_eq!(contract.mode(Entity::Columns), Mode::Freeze);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A child table for a list.
    Tables,
    /// A column for a key.
    Columns,
    /// A variant: a column next to another one for the same key, for values of another type.
    Types,
}

impl Entity {
    /// All of them, by their names.
    pub const ALL: [(Entity, &str); 3] = [
        (Entity::Tables, "tables"),
        (Entity::Columns, "columns"),
        (Entity::Types, "types"),
    ];

    /// Returns the entity of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let found = Entity::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(entity, _)| *entity)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Entity::ALL.iter().find(|(entity, _)| entity == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// The treatment of values that need a new table, column or variant:
/// `Contract::evolve().columns(Mode::DiscardValue)`.
///
/// ```
/// use etlgen_model::{Contract, Mode};
///
/// // New lists become tables; a new key fails the resource.
/// let contract = Contract::evolve().columns(Mode::Freeze);
/// assert_eq!(contract, toml::from_str("columns = 'freeze'")?);
/// # Ok::<(), toml::de::Error>(())
/// ```
///
/// Columns and tables that the struct declares or that the destination already holds do not violate
/// a contract. The same holds for the tables and columns that a resource without a struct
/// (`Resource<Json>`) creates in its first load, and for the columns of a new child table in the
/// load that creates it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contract {
    tables: Mode,
    columns: Mode,
    types: Mode,
}

impl Contract {
    /// Allows all additions. This is the default.
    pub const fn evolve() -> Self {
        Contract::all(Mode::Evolve)
    }

    /// Allows no additions.
    pub const fn freeze() -> Self {
        Contract::all(Mode::Freeze)
    }

    /// Leaves out rows with anything new.
    pub const fn discard_row() -> Self {
        Contract::all(Mode::DiscardRow)
    }

    /// Leaves out new values.
    pub const fn discard_value() -> Self {
        Contract::all(Mode::DiscardValue)
    }

    /// Uses the same mode for tables, columns and types.
    pub const fn all(mode: Mode) -> Self {
        Contract {
            tables: mode,
            columns: mode,
            types: mode,
        }
    }

    /// Sets the mode for lists without a table.
    pub const fn tables(self, mode: Mode) -> Self {
        self.with(Entity::Tables, mode)
    }

    /// Sets the mode for keys without a column.
    pub const fn columns(self, mode: Mode) -> Self {
        self.with(Entity::Columns, mode)
    }

    /// Sets the mode for values that fit none of the columns of their key.
    pub const fn types(self, mode: Mode) -> Self {
        self.with(Entity::Types, mode)
    }

    /// Returns the contract with that mode for that entity.
    pub const fn with(mut self, entity: Entity, mode: Mode) -> Self {
        match entity {
            Entity::Tables => self.tables = mode,
            Entity::Columns => self.columns = mode,
            Entity::Types => self.types = mode,
        }
        self
    }

    /// Returns the mode for that entity.
    pub const fn mode(self, entity: Entity) -> Mode {
        match entity {
            Entity::Tables => self.tables,
            Entity::Columns => self.columns,
            Entity::Types => self.types,
        }
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contract {
            tables,
            columns,
            types,
        } = self;
        write!(f, "tables={tables}, columns={columns}, types={types}")
    }
}
