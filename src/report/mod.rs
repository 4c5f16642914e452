//! How results look: one file per output format. Nothing here decides; everything shown was decided before.
//!
//! Names, reasons and messages come from strangers, so every text goes through [`escape`] for where it lands.

pub mod bisect_json;
pub mod bisect_text;
pub mod bisection;
pub mod check_json;
pub mod check_text;
pub mod code_text;
pub mod compare_json;
pub mod compare_text;
pub mod escape;
pub mod explain_json;
pub mod explain_markdown;
pub mod explain_text;
pub mod explanation;
pub mod github;
pub mod html;
pub mod junit;
pub mod log_text;
pub mod markdown;
pub mod number;
pub mod overview;
pub mod plot;
pub mod profile_json;
pub mod profile_text;
pub mod progress;
pub mod records_json;
pub mod report_csv;
pub mod report_json;
pub mod roofline;
pub mod series_json;
pub mod show_text;
pub mod sparkline;
pub mod table;
pub mod tune_json;
pub mod tune_list;
pub mod tune_markdown;
pub mod tune_progress;
pub mod tune_text;
pub mod tuning;
pub mod warnings;
pub mod words;

/// Something to tell beside the result: a warning as data, worded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A stable word for programs, such as `shallow_clone`.
    pub code: &'static str,
    /// What and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Notice {
    /// A notice without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
