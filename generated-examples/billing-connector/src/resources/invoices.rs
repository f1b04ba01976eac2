use etlgen_runtime::prelude::*;

use crate::api;
use crate::types::Address;

/// The bills: `GET /v1/invoices`
pub fn invoices() -> Resource<Invoice> {
    Invoice::list("invoices", "/v1/invoices")
        .records("data")
        .primary_key([Invoice::ID])
        .paginate(api::pages())
        .embedded(Embedded::list("lines").url("url"))
        .incremental(
            Cursor::created(Invoice::CREATED)
                .param("created[gte]")
                .until("created[lte]"),
        )
}

/// A bill.
#[derive(Record)]
pub struct Invoice {
    pub id: Option<String>,
    pub amount_due: Option<i64>,
    pub billing_address: Option<Address>,
    pub created: Option<UnixTime>,
    pub currency: Option<String>,
    /// Who is billed (the id of a customer).
    pub customer: Option<String>,
    pub lines: Option<InvoiceLines>,
    pub paid: Option<bool>,
    pub tags: Option<Vec<String>>,
}

/// What is billed for.
#[derive(Record)]
pub struct InvoiceLines {
    pub data: Option<Vec<InvoiceLine>>,
    pub has_more: Option<bool>,
    /// Where the other lines are.
    pub url: Option<String>,
}

/// One item of a bill.
#[derive(Record)]
pub struct InvoiceLine {
    pub id: Option<String>,
    pub amount: Option<i64>,
    pub description: Option<String>,
    pub period: Option<Period>,
    pub quantity: Option<i64>,
}

/// The time that an item covers.
#[derive(Record)]
pub struct Period {
    pub end: Option<UnixTime>,
    pub start: Option<UnixTime>,
}
