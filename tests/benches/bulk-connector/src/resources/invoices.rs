use etlgen_runtime::prelude::*;

/// The invoices: `GET /bulk/invoices`
pub fn invoices() -> Resource<Invoice> {
    Invoice::list("invoices", "/bulk/invoices")
        .records("data")
        .primary_key([Invoice::ID])
        .paginate(Paginator::token("cursor", "next").page_size("limit", 100))
}

#[derive(Record)]
pub struct Invoice {
    pub id: Option<String>,
    pub object: Option<String>,
    pub account_name: Option<String>,
    pub amount_due: Option<i64>,
    pub amount_paid: Option<i64>,
    pub amount_remaining: Option<i64>,
    pub attempt_count: Option<i64>,
    pub attempted: Option<bool>,
    pub auto_advance: Option<bool>,
    pub billing_address: Option<Address>,
    pub billing_reason: Option<String>,
    pub collection_method: Option<String>,
    pub created: Option<UnixTime>,
    pub currency: Option<String>,
    pub customer: Option<String>,
    pub customer_email: Option<String>,
    pub customer_name: Option<String>,
    pub customer_phone: Option<String>,
    pub customer_tax_exempt: Option<String>,
    pub description: Option<String>,
    pub due_date: Option<UnixTime>,
    pub ending_balance: Option<i64>,
    pub footer: Option<String>,
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    pub lines: Option<InvoiceLines>,
    pub livemode: Option<bool>,
    pub metadata: Option<InvoiceMetadata>,
    pub next_payment_attempt: Option<UnixTime>,
    pub number: Option<String>,
    pub paid: Option<bool>,
    pub payment_intent: Option<String>,
    pub period_end: Option<UnixTime>,
    pub period_start: Option<UnixTime>,
    pub receipt_number: Option<String>,
    pub shipping_address: Option<Address>,
    pub starting_balance: Option<i64>,
    pub statement_descriptor: Option<String>,
    pub status: Option<String>,
    pub status_transitions: Option<InvoiceStatusTransitions>,
    pub subscription: Option<String>,
    pub subtotal: Option<i64>,
    pub tags: Option<Vec<String>>,
    pub tax: Option<i64>,
    pub total: Option<i64>,
    pub webhooks_delivered_at: Option<UnixTime>,
}

#[derive(Record)]
pub struct Address {
    pub city: Option<String>,
    pub country: Option<String>,
    pub line1: Option<String>,
    pub postal_code: Option<String>,
}

#[derive(Record)]
pub struct InvoiceLines {
    pub data: Option<Vec<InvoiceLine>>,
    pub has_more: Option<bool>,
}

#[derive(Record)]
pub struct InvoiceMetadata {
    pub order: Option<String>,
    pub region: Option<String>,
}

#[derive(Record)]
pub struct InvoiceStatusTransitions {
    pub finalized_at: Option<UnixTime>,
    pub paid_at: Option<UnixTime>,
}

#[derive(Record)]
pub struct InvoiceLine {
    pub id: Option<String>,
    pub amount: Option<i64>,
    pub currency: Option<String>,
    pub description: Option<String>,
    pub discountable: Option<bool>,
    pub period: Option<InvoiceLinePeriod>,
    pub price: Option<InvoiceLinePrice>,
    pub proration: Option<bool>,
    pub quantity: Option<i64>,
    pub subscription: Option<String>,
    pub taxes: Option<Vec<InvoiceLineTax>>,
}

#[derive(Record)]
pub struct InvoiceLinePeriod {
    pub end: Option<UnixTime>,
    pub start: Option<UnixTime>,
}

#[derive(Record)]
pub struct InvoiceLinePrice {
    pub id: Option<String>,
    pub active: Option<bool>,
    pub interval: Option<String>,
    pub unit_amount: Option<i64>,
}

#[derive(Record)]
pub struct InvoiceLineTax {
    pub amount: Option<i64>,
    pub inclusive: Option<bool>,
    pub rate: Option<String>,
}
