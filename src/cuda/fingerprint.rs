//! What has to be equal for a difference in time to be the environment's and not the code's.

use sha2::{Digest, Sha256};

use super::{Argument, Launch, MachineCode};

/// A hash of the machine code, of how it is launched and of what it is given.
///
/// The machine code alone is not enough: a grid, a shape or a seed that changed in the manifest makes another measurement
/// of the same code.
pub fn fingerprint(code: &MachineCode, launch: &Launch, arguments: &[Argument]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(&code.hash);
    hasher.update(format!("{launch:?}{arguments:?}"));
    hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::{ArgumentValue, Scalar};

    #[test]
    fn code_launch_and_arguments_count() {
        let code = |hash: &str| MachineCode {
            registers: 1,
            spill_stores: 0,
            spill_loads: 0,
            stack: 0,
            shared_bytes: 0,
            barriers: 0,
            instructions: 1,
            cubin_bytes: 1,
            hash: hash.to_owned(),
        };
        let launch = Launch { grid: [1; 3], block: [32, 1, 1], shared_bytes: 0, cluster: None };
        let argument = |n| [Argument { name: "n".to_owned(), value: ArgumentValue::Scalar(Scalar::I32(n)) }];
        let base = fingerprint(&code("a"), &launch, &argument(1));
        assert_eq!(base, fingerprint(&code("a"), &launch, &argument(1)));
        let others = [
            fingerprint(&code("b"), &launch, &argument(1)),
            fingerprint(&code("a"), &Launch { grid: [2, 1, 1], ..launch }, &argument(1)),
            fingerprint(&code("a"), &launch, &argument(2)),
        ];
        assert!(!others.contains(&base));
    }
}
