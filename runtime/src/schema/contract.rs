//! The rules for schema contracts that the caller of a run gives.

use std::str::FromStr;

use etlgen_model::{Contract, Entity, Mode};

use crate::error::{Error, ErrorKind};

/// Returns whether some violation makes a contract leave out a row.
pub(crate) fn discards_rows(contract: Contract) -> bool {
    let of = [Entity::Columns, Entity::Types].map(|entity| contract.mode(entity));
    of.contains(&Mode::DiscardRow)
}

/// A rule of `--contract`: `freeze`, `columns=freeze`, `invoices:columns=discard_row`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractRule {
    resource: Option<String>,
    entity: Option<Entity>,
    mode: Mode,
}

impl ContractRule {
    /// Returns the resource that it applies to; `None`: all.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// Applies the rules of a run to the contract of a resource. A rule for the resource overrides
    /// a rule for all, and a later rule overrides an earlier one.
    pub(crate) fn apply(rules: &[ContractRule], contract: Contract, resource: &str) -> Contract {
        let general = rules.iter().filter(|rule| rule.resource.is_none());
        let own = rules
            .iter()
            .filter(|rule| rule.resource.as_deref() == Some(resource));
        general
            .chain(own)
            .fold(contract, |contract, rule| match rule.entity {
                None => Contract::all(rule.mode),
                Some(entity) => contract.with(entity, rule.mode),
            })
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
        let of = |resource| ContractRule::apply(&rules, Contract::discard_value(), resource);
        let all = Contract::freeze().columns(Mode::DiscardRow);
        assert_eq!(of("a"), all.types(Mode::Evolve));
        assert_eq!(of("b"), Contract::evolve());
        assert_eq!(of("c"), all);
        assert_eq!(
            ContractRule::apply(&[], Contract::discard_value(), "a"),
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
