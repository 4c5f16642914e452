//! A worker's side of the protocol, on the fake device.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::channel;

use super::*;
use crate::cuda::device::DeviceError;
use crate::cuda::worker::tests::{Bench, answer_all, read_line};
use crate::cuda::worker::{Reply, Request};

fn bench() -> Bench {
    Bench {
        opened: (BTreeMap::from([("gpu".to_owned(), "a fake".to_owned())]), Some("no NVML".to_owned())),
        watch: Box::new(Unwatched),
        sessions: HashMap::new(),
        support: None,
        device: Box::new(FakeDevice::new(Properties { memory_bytes: 64 << 20, l2_bytes: 1 << 20, ..h200() })),
    }
}

/// What a worker answers to these requests, one after the other.
fn answers(requests: Vec<Request>) -> Vec<Reply> {
    let (send, receive) = channel();
    for request in requests {
        let line = serde_json::to_string(&request).unwrap();
        send.send(serde_json::from_str(&line).map_err(|error| error.to_string())).unwrap();
    }
    drop(send);
    let mut out = Vec::new();
    answer_all(
        &receive,
        &|device| if device == 0 { Ok(bench()) } else { Err(DeviceError::NoDevice { wanted: device, found: 1 }) },
        &mut out,
    )
    .unwrap();
    String::from_utf8(out).unwrap().lines().filter_map(read_line).map(Result::unwrap).collect()
}

fn prepare(slot: u32, entry: &str) -> Request {
    Request::Prepare { slot, job: Box::new(job(entry)), seed: 1 }
}

#[test]
fn two_kernels_take_turns_in_one_worker() {
    let replies = answers(vec![
        Request::Open { device: 0 },
        Request::Support { cubin: Some(Bytes(vec![1, 2, 3])) },
        prepare(0, "double"),
        prepare(1, "wrong"),
        Request::Measure { slot: 0 },
        Request::Measure { slot: 1 },
        Request::Measure { slot: 0 },
        Request::Verify { slot: 0 },
        Request::Release { slot: 1 },
        Request::Measure { slot: 1 },
    ]);
    assert_eq!(replies.len(), 10);
    assert!(matches!(&replies[0], Reply::Opened(opened) if opened.properties.sm_count == 132 && opened.unwatched.is_some()));
    assert!(matches!(&replies[2], Reply::Prepared(readiness) if readiness.faults.is_empty()));
    assert!(matches!(&replies[3], Reply::Prepared(readiness) if !readiness.faults.is_empty()));
    assert!(matches!(&replies[5], Reply::Measured { shots, throttled: None } if shots.len() > 10));
    assert_eq!(replies[7], Reply::Verified { faults: Vec::new() });
    assert!(matches!(&replies[9], Reply::Failed(failure) if !failure.is_final && failure.message.contains("empty")));
}

#[test]
fn a_broken_context_ends_the_worker_and_an_ordinary_error_does_not() {
    let mut large = job("double");
    if let ArgumentValue::Buffer(buffer) = &mut large.plan.arguments[0].value {
        buffer.shape = vec![1 << 40];
    }
    let replies = answers(vec![
        Request::Open { device: 0 },
        Request::Prepare { slot: 0, job: Box::new(large), seed: 1 },
        prepare(0, "double"),
        prepare(0, "crash"),
        Request::Measure { slot: 0 },
    ]);
    assert!(matches!(&replies[1], Reply::Failed(failure) if !failure.is_final && failure.message.contains("out of memory")));
    assert!(matches!(&replies[2], Reply::Prepared(_)));
    assert!(matches!(&replies[3], Reply::Failed(failure) if failure.is_final));
    assert_eq!(replies.len(), 4, "nothing is answered afterwards");
}

#[test]
fn a_device_that_is_not_there_is_told() {
    let replies = answers(vec![Request::Open { device: 3 }]);
    assert!(matches!(&replies[0], Reply::Failed(failure) if failure.message.contains("no GPU 3") && failure.is_final));
}

#[test]
fn what_a_kernel_prints_is_passed_over() {
    assert!(read_line("hello from thread 0").is_none());
    assert!(read_line("{\"reply\":\"done\"}").is_none(), "not without the mark");
}
