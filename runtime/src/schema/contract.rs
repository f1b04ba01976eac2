//! Schema contracts: how tables may change when the API sends data that the struct does not declare.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The reaction to a value that needs a new table, column or variant.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// // Values that do not fit their column are left out and counted.
/// let contract = Contract::evolve().types(Mode::DiscardValue);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Create it.
    #[default]
    Evolve,
    /// Let the resource fail; nothing of the batch is loaded.
    Freeze,
    /// Leave out and count the row with the value, including its child rows; its parent stays. No rows of a table that
    /// does not exist are loaded.
    DiscardRow,
    /// Leave out and count the value.
    DiscardValue,
}

impl Mode {
    const ALL: [(Mode, &str); 4] = [
        (Mode::Evolve, "evolve"),
        (Mode::Freeze, "freeze"),
        (Mode::DiscardRow, "discard_row"),
        (Mode::DiscardValue, "discard_value"),
    ];

    fn parse(name: &str) -> Option<Self> {
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

/// The subject of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A child table for a list.
    Tables,
    /// A column for a key.
    Columns,
    /// A variant: a further column for the same key, for values of another type.
    Types,
}

impl Entity {
    const ALL: [(Entity, &str); 3] = [
        (Entity::Tables, "tables"),
        (Entity::Columns, "columns"),
        (Entity::Types, "types"),
    ];

    fn parse(name: &str) -> Option<Self> {
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

/// The reaction to values that need a new table, column or variant: `Contract::evolve().columns(Mode::DiscardValue)`.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Order {
///     id: Option<String>,
/// }
///
/// // New lists become tables; a new key fails the resource.
/// let contract = Contract::evolve().columns(Mode::Freeze);
/// let orders = Order::list("orders", "/orders").contract(contract);
/// ```
///
/// Data that the struct declares, or that the destination holds already, never violates it; nor do the tables and
/// columns that a resource without a struct (`Resource<Json>`) creates in its first load, and the columns of a new
/// child table in the load that creates it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Contract {
    tables: Mode,
    columns: Mode,
    types: Mode,
}

impl Contract {
    /// Creates everything: the default.
    pub const fn evolve() -> Self {
        Contract::all(Mode::Evolve)
    }

    /// Creates nothing.
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

    const fn all(mode: Mode) -> Self {
        Contract {
            tables: mode,
            columns: mode,
            types: mode,
        }
    }

    /// The mode for lists without a table.
    pub const fn tables(self, mode: Mode) -> Self {
        Contract {
            tables: mode,
            ..self
        }
    }

    /// The mode for keys without a column.
    pub const fn columns(self, mode: Mode) -> Self {
        Contract {
            columns: mode,
            ..self
        }
    }

    /// The mode for values that fit none of the columns of their key.
    pub const fn types(self, mode: Mode) -> Self {
        Contract {
            types: mode,
            ..self
        }
    }

    pub(crate) fn mode(self, entity: Entity) -> Mode {
        match entity {
            Entity::Tables => self.tables,
            Entity::Columns => self.columns,
            Entity::Types => self.types,
        }
    }

    /// Whether some violation makes a row be left out.
    pub(crate) fn discards_rows(self) -> bool {
        [self.columns, self.types].contains(&Mode::DiscardRow)
    }

    /// The contract of a resource after these rules; a rule for the resource takes precedence over one for all, a later
    /// one over an earlier one.
    pub(crate) fn with(mut self, rules: &[ContractRule], resource: &str) -> Self {
        let general = rules.iter().filter(|rule| rule.resource.is_none());
        let own = rules
            .iter()
            .filter(|rule| rule.resource.as_deref() == Some(resource));
        for rule in general.chain(own) {
            self = match rule.entity {
                None => Contract::all(rule.mode),
                Some(Entity::Tables) => self.tables(rule.mode),
                Some(Entity::Columns) => self.columns(rule.mode),
                Some(Entity::Types) => self.types(rule.mode),
            };
        }
        self
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

/// A rule of `--contract`: `freeze`, `columns=freeze`, `invoices:columns=discard_row`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractRule {
    resource: Option<String>,
    entity: Option<Entity>,
    mode: Mode,
}

impl ContractRule {
    /// The resource that it applies to; `None`: all.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }
}

impl FromStr for ContractRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (resource, wish) = match text.rsplit_once(':') {
            Some((resource, wish)) => (Some(resource.trim().to_owned()), wish),
            None => (None, text),
        };
        let (entity, mode) = match wish.split_once('=') {
            Some((entity, mode)) => (Some(Entity::parse(entity.trim())), mode),
            None => (None, wish),
        };
        match (entity, Mode::parse(mode.trim())) {
            (None, Some(mode)) => Ok(ContractRule {
                resource,
                entity: None,
                mode,
            }),
            (Some(Some(entity)), Some(mode)) => Ok(ContractRule {
                resource,
                entity: Some(entity),
                mode,
            }),
            _ => Err(
                Error::new(ErrorKind::Usage, format!("`{text}` is not a contract")).hint(
                    "write [RESOURCE:][tables|columns|types=]evolve|freeze|discard_row|discard_value",
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<ContractRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_nearest_word_counts() {
        let rules = rules(&[
            "a:types=evolve",
            "freeze",
            "columns=discard_row",
            "b:evolve",
        ]);
        let of = |resource| Contract::discard_value().with(&rules, resource);
        let all = Contract::freeze().columns(Mode::DiscardRow);
        assert_eq!(of("a"), all.types(Mode::Evolve));
        assert_eq!(of("b"), Contract::evolve());
        assert_eq!(of("c"), all);
        assert_eq!(
            Contract::discard_value().with(&[], "a"),
            Contract::discard_value()
        );
    }

    #[test]
    fn a_word_that_is_none_says_which_there_are() {
        for text in [
            "",
            "frozen",
            "rows=freeze",
            "a:",
            "columns=",
            "columns:freeze=a",
        ] {
            let error = text.parse::<ContractRule>().unwrap_err().report();
            assert!(error.contains("discard_value"), "{text}: {error}");
        }
        let rule: ContractRule = "crm:deals: columns = freeze ".parse().unwrap();
        assert_eq!(rule.resource(), Some("crm:deals"));
    }
}
