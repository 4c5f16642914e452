//! What the tests of whole sessions need of the worker.

pub(in crate::cuda) use super::serve::{Bench, answer_all};
use super::{Reply, protocol};

pub(in crate::cuda) fn read_line(line: &str) -> Option<Result<Reply, serde_json::Error>> {
    protocol::read_line(line)
}
