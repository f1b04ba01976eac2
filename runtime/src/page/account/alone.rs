//! A list of one response: nothing leads to another page, or its paging is undecided.

use etlgen_model::{Paginator, counted};

use super::{Account, At, is_usual};
use crate::error::Result;
use crate::page::advance::paging;
use crate::page::proof::Proof;
use crate::page::statements::{Says, Statements, quoted};

impl Account {
    /// Returns the proof for a list of one response.
    pub(super) fn alone(&mut self, at: At<'_>) -> Result<Proof> {
        let At { page, said, .. } = at;
        if self.terms.single {
            return Ok(self.capped(Proof::Proved("it is one object".into())));
        }
        self.unfinished(at)?;
        let (rows, usual) = (page.rows, is_usual(page.rows));
        let undecided = **at.paginator == Paginator::Undecided;
        if let Some((more, counts)) = says_more(rows, said) {
            if undecided {
                let why = format!("etlgen could not tell how it is paged, and {more}");
                return Ok(Proof::Unproved(why));
            }
            if counts && self.terms.narrowed {
                let why = format!(
                    "{} arrived, and {more}: it may count others too",
                    counted(rows, "row")
                );
                return Ok(Proof::Unproved(why));
            }
            return Err(paging(format!(
                "only one response of {} was read, because the paging of this list is not declared, but {more}", counted(rows, "row")
            ))
            .hint(format!(
                "declare how it is paged: `paginate = {{ kind = \"…\" }}` of `{0}` in etlgen.toml, or `.paginate(…)` in its file; `total = false` there, if a total is wrong",
                self.terms.name
            )));
        }
        if let Some(why) = may_count_more(rows, said) {
            return Ok(self.capped(Proof::Unproved(why)));
        }
        let ends = said.find(|said| match said.says {
            Says::More(false) => Some("says that nothing follows".to_owned()),
            Says::NoNext => Some("has no next page".to_owned()),
            Says::Pages(pages)
                if pages <= 1 && pages >= rows.min(1) && !said.may_count_from_0() =>
            {
                Some(format!("counts {}", counted(pages, "page")))
            }
            Says::Total(total) if total == rows && !usual => {
                Some(format!("counts {}", counted(total, "row")))
            }
            _ => None,
        });
        let less = said.find(|said| match said.says {
            Says::Total(total) if total < rows => Some(counted(total, "row")),
            Says::Pages(0) if rows > 0 && !said.may_count_from_0() => Some(counted(0, "page")),
            _ => None,
        });
        if let Some((total, said)) = less {
            return Ok(Proof::Unproved(format!(
                "{} arrived in one response, and {} counts {total}",
                counted(rows, "row"),
                quoted(&said.place)
            )));
        }
        let proof = match ends {
            Some((what, said)) => Proof::Proved(format!("{} {what}", quoted(&said.place))),
            None if undecided => Proof::Unproved(
                "etlgen could not tell how this resource is paged: one page was read".into(),
            ),
            None if usual => Proof::Unproved(format!(
                "one response of {} was read, which is a usual length of a page: more may follow",
                counted(rows, "row")
            )),
            None => Proof::Assumed("nothing indicates more than one response".into()),
        };
        Ok(self.capped(proof))
    }
}

/// Returns what says that more than one response exists, and whether it does so by a number.
fn says_more(rows: u64, said: &Statements) -> Option<(String, bool)> {
    if let Some((true, flag)) = said.more() {
        return Some((
            format!("{} says that more follows", quoted(&flag.place)),
            false,
        ));
    }
    if let Some(lead) = said.leads() {
        return Some((format!("{} has a next page", quoted(&lead.place)), false));
    }
    let counted = said.find(|said| match said.says {
        Says::Total(total) | Says::Count(total) if total > rows => Some(counted(total, "row")),
        Says::Pages(pages) if pages > 1 => Some(counted(pages, "page")),
        _ => None,
    });
    counted.map(|(count, said)| (format!("{} counts {count}", quoted(&said.place)), true))
}

/// Returns what may say that more rows exist than one response has.
fn may_count_more(rows: u64, said: &Statements) -> Option<String> {
    let (more, said) = said.find(|said| match said.says {
        Says::Named(count) | Says::MayCount(count) if count > rows => Some(format!("is {count}")),
        Says::LastLink(page) if page > 1 => Some(format!("has a last page {page}")),
        Says::Part(ref range) => Some(format!("is `{range}`")),
        _ => None,
    })?;
    Some(format!(
        "{} arrived in one response, and {} {more}: more may exist",
        counted(rows, "row"),
        quoted(&said.place)
    ))
}
