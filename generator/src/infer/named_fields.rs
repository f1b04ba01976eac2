//! Finds fields of a parent that fill required parameters of the query: `ownership` of
//! `/accounts/{account}/owners?ownership=`, if an account has an `ownership`.

use crate::spec::api::{Api, Location, Parameter};

use super::Draft;
use super::facts::ParentLink;
use super::matching::Parent;
use super::node::Node;
use super::prose::is_required;
use super::rules::rule;

/// Returns links for the required parameters of a child that its parent's records hold under the
/// same name. The text of such a parameter calls it an id: `status` of a parent is not meant by a
/// filter by status.
pub(super) fn links(
    api: &Api,
    child: &Draft<'_>,
    above: &Draft<'_>,
    parent: &Parent,
) -> Vec<ParentLink> {
    let fields = above.found.record.properties();
    let page = child.roles.names();
    let open = child.parameters.iter().filter(|parameter| {
        let known = parent.links.iter().any(|link| link.param == parameter.name);
        let asks = parameter.location == Location::Query && is_required(parameter);
        asks && !known && !page.contains(&parameter.name.as_str())
    });
    let held = open.filter(|parameter| {
        let field = fields.get(&parameter.name);
        let fits = |node: &Node<'_>| node.is_text() || node.is_integer();
        field.is_some_and(|field| fits(field) && !field.is_boolean()) && is_id(api, parameter)
    });
    held.filter(|_| rule("an id that the parent holds", true))
        .map(|parameter| ParentLink {
            param: parameter.name.clone(),
            location: Location::Query,
            field: parameter.name.clone(),
        })
        .collect()
}

/// Returns whether a parameter takes the id of something, by its text, and has no listed values.
fn is_id(api: &Api, parameter: &Parameter) -> bool {
    let text = parameter.description.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let named = words.any(|word| ["id", "identifier", "uuid"].contains(&word));
    let node = Node::of_schema(api, parameter.schema);
    named && node.values().is_empty() && node.default().is_none()
}
