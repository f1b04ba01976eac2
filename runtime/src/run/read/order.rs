//! Checks whether a list is sorted by its cursor as declared; an order that rows contradict ends no
//! list.

use crate::cursor::Order;
use crate::record::CursorValue;
use crate::run::read::window::Window;

/// Observes the cursor values of a list's rows as they come.
#[derive(Default)]
pub(super) struct Sorting {
    order: Option<Order>,
    last: Option<CursorValue>,
    /// The first value of the current page.
    first: Option<CursorValue>,
    /// Whether each row so far came in order, and had a value.
    holds: bool,
}

impl Sorting {
    /// Creates the check. `holds`: whether the rows of earlier runs came in order.
    pub fn new(order: Option<Order>, holds: bool) -> Self {
        Sorting {
            order,
            last: None,
            first: None,
            holds: holds && order.is_some(),
        }
    }

    /// Begins another page.
    pub fn turn(&mut self) {
        self.first = None;
    }

    /// Begins another list.
    pub fn restart(&mut self) {
        *self = Sorting::new(self.order, self.holds);
    }

    pub fn see(&mut self, value: Option<&CursorValue>) {
        if !self.holds {
            return;
        }
        let Some(value) = value else {
            self.holds = false;
            return;
        };
        let wrong = self.last.as_ref().is_some_and(|last| match self.order {
            Some(Order::NewestFirst) => value > last,
            Some(Order::OldestFirst) => value < last,
            None => true,
        });
        self.holds = !wrong;
        self.first.get_or_insert_with(|| value.clone());
        self.last = Some(value.clone());
    }

    /// Returns whether a list with a declared order has shown another order.
    pub fn is_broken(&self) -> bool {
        self.order.is_some() && !self.holds
    }

    /// Returns the value of the last row of a list that came in order.
    pub fn last(&self) -> Option<&CursorValue> {
        self.last.as_ref().filter(|_| self.holds)
    }

    /// Returns whether the list has been sorted oldest first so far.
    pub fn rises(&self) -> bool {
        self.order == Some(Order::OldestFirst) && self.holds
    }

    /// Returns whether the order can show that the rest of a list lies outside a window.
    pub fn may_leave(&self, window: &Window) -> bool {
        match self.order {
            Some(Order::NewestFirst) => self.holds && window.range.from.is_some(),
            Some(Order::OldestFirst) => self.holds && window.range.until.is_some(),
            None => false,
        }
    }

    /// Returns why nothing that belongs to the window can follow the current page, if all of the
    /// page lies behind the window.
    pub fn leaves(&self, window: &Window) -> Option<&'static str> {
        let first = self.first.as_ref().filter(|_| self.holds)?;
        match self.order {
            Some(Order::NewestFirst) if window.is_behind(first) => {
                Some("a page of older rows in a list that is sorted the newest first")
            }
            Some(Order::OldestFirst) if window.is_ahead_of(first) => {
                Some("a page of newer rows in a list that is sorted the oldest first")
            }
            _ => None,
        }
    }
}
