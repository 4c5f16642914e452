//! Machine code of CUDA kernels, whichever compiler wrote it: what gates a kernel on any computer, without a GPU.
//!
//! The name is the kernel's as C++ has it, without parameters unless another kernel has the same name without them; the
//! architecture is the config, the version of the assembler the testbed, since another version makes other code of the same source.

use std::collections::{BTreeMap, BTreeSet};

use cpp_demangle::{DemangleOptions, Symbol};
use sha2::{Digest, Sha256};

use super::ImportError;
use super::collect::{Collector, known_metric};
use super::json::short;
use crate::cubin::{self, Cubin, Kernel};
use crate::model::{Direction, MAX_NAME_BYTES, Unit};

/// Instructions before 7.0 are of another kind.
const OLDEST_COUNTED: u32 = 70;

/// A kernel as the file names it: linkage name and architecture.
type Key = (String, String);

pub(super) fn read(bytes: &[u8], into: &mut Collector<'_>) -> Result<(), ImportError> {
    let mut found = Found::default();
    let skipped = cubin::each_cubin(bytes, |cubin| {
        found.take(Cubin::read(cubin)?);
        Ok(())
    })
    .map_err(ImportError::MachineCode)?;
    if found.kernels.is_empty() {
        return Err(ImportError::NoMachineCode(match (skipped.ptx, found.relocatable) {
            (0, false) => "there is no GPU's code in it",
            (_, false) => {
                "it has PTX alone, of which the driver makes code where it runs; compile for a real architecture (nvcc -arch sm_90)"
            }
            (_, true) => "its code is not linked yet (nvcc -rdc=true), and its registers not final: give the library or program",
        }));
    }
    into.testbed = Some(format!("ptxas {}", found.versions()));
    found.record(into)
}

#[derive(Default)]
struct Found {
    kernels: BTreeMap<Key, Kernel>,
    /// Those that the file has with different code.
    ambiguous: BTreeSet<Key>,
    toolkits: BTreeSet<(u32, u32)>,
    relocatable: bool,
}

impl Found {
    fn take(&mut self, cubin: Cubin) {
        if cubin.relocatable {
            self.relocatable = true;
            return;
        }
        self.toolkits.extend(cubin.toolkit);
        for (name, kernel) in cubin.kernels {
            let key = (name, cubin.arch.clone());
            // A template that several files instantiate stands in each of them.
            if self.kernels.get(&key).is_some_and(|known| *known != kernel) {
                self.ambiguous.insert(key);
            } else {
                self.kernels.insert(key, kernel);
            }
        }
    }

    fn versions(&self) -> String {
        let versions: Vec<String> = self.toolkits.iter().map(|(major, minor)| format!("{major}.{minor}")).collect();
        if versions.is_empty() { "of an unknown version".to_owned() } else { versions.join(" and ") }
    }

    fn record(&self, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let names = Names::of(self.kernels.keys());
        for (key @ (name, arch), kernel) in &self.kernels {
            let shown = names.of_kernel(name, arch);
            if self.ambiguous.contains(key) {
                let reason = "the file has several of that name, with different code: give the files it was linked of one by one";
                into.left_out(&format!("`{}`", short(&shown)), arch, reason);
                continue;
            }
            record(&shown, arch, kernel, into)?;
        }
        Ok(())
    }
}

fn record(name: &str, arch: &str, kernel: &Kernel, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let at = format!("`{}`", short(name));
    let point = into.point(&at, name, vec![("arch".to_owned(), arch.to_owned())])?;
    let hash = kernel.hash(&kernel.resources);
    let of_the_code = |count: u32| (cubin::architecture_number(arch) >= OLDEST_COUNTED).then_some(u64::from(count));
    let all = [
        ("registers", Unit::ONE, Some(kernel.resources.registers.into())),
        ("stack_bytes", Unit::BYTE, Some(kernel.resources.stack.into())),
        ("local_accesses", Unit::ONE, of_the_code(cubin::local_accesses(&kernel.text))),
        ("shared_bytes", Unit::BYTE, Some(kernel.resources.shared_bytes.into())),
        ("instructions", Unit::ONE, of_the_code(cubin::instructions(&kernel.text))),
        ("cubin_bytes", Unit::BYTE, Some(kernel.bytes)),
    ];
    for (metric, unit, value) in all {
        if let Some(value) = value {
            into.add_exact(&at, &point, known_metric(&at, metric, unit, Direction::Lower)?, value as f64, &hash)?;
        }
    }
    Ok(())
}

/// The names under which kernels are recorded: as short as they can be and differ.
struct Names {
    /// How many kernels of an architecture have a name without parameters, and with them.
    short: BTreeMap<Key, usize>,
    whole: BTreeMap<Key, usize>,
}

impl Names {
    fn of<'k>(kernels: impl Iterator<Item = &'k Key>) -> Self {
        let (mut short, mut whole) = (BTreeMap::new(), BTreeMap::new());
        for (name, arch) in kernels {
            *short.entry((without_parameters(name), arch.clone())).or_default() += 1;
            *whole.entry((with_parameters(name), arch.clone())).or_default() += 1;
        }
        Self { short, whole }
    }

    fn of_kernel(&self, name: &str, arch: &str) -> String {
        let is_shared = |names: &BTreeMap<Key, usize>, shown: &str| {
            names.get(&(shown.to_owned(), arch.to_owned())).is_some_and(|kernels| *kernels > 1)
        };
        let (short, whole) = (without_parameters(name), with_parameters(name));
        as_a_name(match (is_shared(&self.short, &short), is_shared(&self.whole, &whole)) {
            (false, _) => short,
            (true, false) => whole,
            // Two files have it, each for itself.
            (true, true) => name.to_owned(),
        })
    }
}

fn without_parameters(name: &str) -> String {
    demangled(name, DemangleOptions::new().no_params().no_return_type())
}

fn with_parameters(name: &str) -> String {
    demangled(name, DemangleOptions::new().no_return_type())
}

fn demangled(name: &str, options: DemangleOptions) -> String {
    let demangled = Symbol::new(name).ok().and_then(|symbol| symbol.demangle_with_options(&options).ok());
    demangled.map_or_else(|| name.to_owned(), |name| without_file_names(&name))
}

/// Templates of templates have names of thousands of bytes: the end of such a name becomes a hash of all of it.
fn as_a_name(whole: String) -> String {
    if whole.len() <= MAX_NAME_BYTES {
        return whole;
    }
    let end = format!("… {}", cubin::hex(&Sha256::digest(&whole)[..8]));
    let start = whole.floor_char_boundary(MAX_NAME_BYTES - end.len());
    format!("{}{end}", &whole[..start])
}

/// nvcc puts what only one file sees into a namespace named after that file, with a hash of its path.
fn without_file_names(name: &str) -> String {
    const OF_A_FILE: &str = "_INTERNAL_";
    let Some(start) = name.find(OF_A_FILE) else { return name.to_owned() };
    match name[start..].find("::") {
        Some(length) => format!("{}{}", &name[..start], &name[start + length + 2..]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_called_as_in_the_source() {
        for (linkage, name) in [
            ("spills", "spills"),
            ("_Z6reduceIfLi256EEvPKT_PS0_i", "reduce<float, 256>"),
            ("_ZN43_GLOBAL__N__603251c7_10_kernels_cu_620337206hiddenEPi", "(anonymous namespace)::hidden"),
            ("_ZN31_INTERNAL_3463ef16_4_k_cu_quiet5quietEPi", "quiet"),
            ("_Znonsense", "_Znonsense"),
        ] {
            assert_eq!(without_parameters(linkage), name);
        }
    }

    #[test]
    fn kernels_that_two_files_have_for_themselves_keep_their_linkage_names() {
        let hidden = [
            "_ZN43_GLOBAL__N__603251c7_10_kernels_cu_620337206hiddenEPi",
            "_ZN40_GLOBAL__N__f3c0a2b1_8_other_cu_620337206hiddenEPi",
        ];
        let other = "_Z6reduceIfLi256EEvPKT_PS0_i";
        let keys: Vec<Key> = hidden.iter().chain([&other]).map(|name| ((*name).to_owned(), "sm_90".to_owned())).collect();
        let names = Names::of(keys.iter());
        assert_eq!(hidden.map(|name| names.of_kernel(name, "sm_90")), hidden);
        assert_eq!(names.of_kernel(other, "sm_90"), "reduce<float, 256>");
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_beginning_and_stays_different() {
        let names = ["a", "b"].map(|end| as_a_name(format!("gemm<{}{end}>", "é, ".repeat(400))));
        assert!(names.iter().all(|name| name.len() <= MAX_NAME_BYTES && name.starts_with("gemm<é, é")), "{names:?}");
        assert_ne!(names[0], names[1]);
    }
}
