//! Schema contracts: what may become of the tables when the API sends more than the struct declares.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is done with a value for which a table, a column or a variant would have to be made.
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
    /// It is made.
    #[default]
    Evolve,
    /// The resource fails, and nothing of the batch is loaded.
    Freeze,
    /// The row that holds the value is left out, with its child rows, and counted; its parent stays. Of a table that is not
    /// there no row is loaded.
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

    /// The mode of that name.
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

/// What a mode of a contract is about.
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
    /// A variant: a column beside another one for the same key, for values of another type.
    Types,
}

impl Entity {
    /// All of them, by their names.
    pub const ALL: [(Entity, &str); 3] = [
        (Entity::Tables, "tables"),
        (Entity::Columns, "columns"),
        (Entity::Types, "types"),
    ];

    /// The entity of that name.
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

/// What is done with values for which a table, a column or a variant would have to be made:
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
/// What the struct declares, and what the destination holds already, is no violation; nor are the tables and columns that
/// a resource without a struct (`Resource<Json>`) makes in its first load, and the columns of a new child table in the load
/// that makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contract {
    tables: Mode,
    columns: Mode,
    types: Mode,
}

impl Contract {
    /// Everything is made: what holds where nothing is said.
    pub const fn evolve() -> Self {
        Contract::all(Mode::Evolve)
    }

    /// Nothing may be made.
    pub const fn freeze() -> Self {
        Contract::all(Mode::Freeze)
    }

    /// Rows with anything new are left out.
    pub const fn discard_row() -> Self {
        Contract::all(Mode::DiscardRow)
    }

    /// New values are left out.
    pub const fn discard_value() -> Self {
        Contract::all(Mode::DiscardValue)
    }

    /// The same for tables, columns and types.
    pub const fn all(mode: Mode) -> Self {
        Contract {
            tables: mode,
            columns: mode,
            types: mode,
        }
    }

    /// Of lists without a table.
    pub const fn tables(self, mode: Mode) -> Self {
        self.with(Entity::Tables, mode)
    }

    /// Of keys without a column.
    pub const fn columns(self, mode: Mode) -> Self {
        self.with(Entity::Columns, mode)
    }

    /// Of values that fit none of the columns of their key.
    pub const fn types(self, mode: Mode) -> Self {
        self.with(Entity::Types, mode)
    }

    /// The contract with that mode for that entity.
    pub const fn with(mut self, entity: Entity, mode: Mode) -> Self {
        match entity {
            Entity::Tables => self.tables = mode,
            Entity::Columns => self.columns = mode,
            Entity::Types => self.types = mode,
        }
        self
    }

    /// What is done about that entity.
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
