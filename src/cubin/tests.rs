use super::*;

/// A file that nvcc or ptxas wrote.
fn file(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import/cubin");
    std::fs::read(folder.join(name)).unwrap()
}

fn cubins(bytes: &[u8]) -> Result<Vec<Cubin>, CubinError> {
    let mut found = Vec::new();
    each_cubin(bytes, |cubin| {
        found.push(Cubin::read(cubin)?);
        Ok(())
    })?;
    Ok(found)
}

/// A static library as `ar` writes it.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in members {
        archive.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, content.len()).bytes());
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(2), b'\n');
    }
    archive
}

#[test]
fn packed_machine_code_is_the_same_in_every_packing_and_container() {
    let (zstd, lz4) = (cubins(&file("zstd.fatbin")).unwrap(), cubins(&file("lz4.fatbin")).unwrap());
    assert_eq!(zstd, lz4);
    assert_eq!(zstd.iter().map(|cubin| cubin.arch.as_str()).collect::<Vec<_>>(), ["sm_80", "sm_90a"]);
    let object = file("object.o");
    let in_object = cubins(&object).unwrap();
    assert_eq!(in_object.len(), 1);
    // The name of what only one file sees depends on the path; nothing else does.
    let code = |cubin: &Cubin| cubin.kernels.values().map(|kernel| kernel.text.clone()).collect::<Vec<_>>();
    assert_eq!(code(&in_object[0]), code(&zstd[0]));
    let library = archive(&[("notes.txt", b"no object"), ("object.o", &object), ("zstd.fatbin", &file("zstd.fatbin"))]);
    assert_eq!(cubins(&library).unwrap(), [in_object, zstd].concat());
}

#[test]
fn every_assembler_since_cuda_11_says_what_it_is_for_and_from() {
    for (name, arch, toolkit) in [
        ("cuda11.8-sm_80.cubin", "sm_80", (11, 8)),
        ("cuda12.8-sm_80.cubin", "sm_80", (12, 8)),
        ("cuda12.8-sm_90a.cubin", "sm_90a", (12, 8)),
    ] {
        let cubin = Cubin::read(&file(name)).unwrap();
        assert_eq!((cubin.arch.as_str(), cubin.toolkit, cubin.relocatable), (arch, Some(toolkit), false), "{name}");
        assert_eq!(cubin.kernels.values().map(|kernel| kernel.resources.registers).collect::<Vec<_>>(), [8], "{name}");
    }
    assert!(cubins(&file("zstd.fatbin")).unwrap().iter().all(|cubin| cubin.toolkit == Some((13, 5))));
}

/// `cuobjdump -res-usage` counts what the driver reserves of shared memory from sm_90 on; `ptxas -v` and we do not.
#[test]
fn resources_are_those_that_cuobjdump_tells() {
    let mut expected = Vec::new();
    let text = String::from_utf8(file("res-usage.txt")).unwrap();
    let (mut arch, mut name) = ("", "");
    for line in text.lines().map(str::trim) {
        let number = |field: &str| line.split_once(field).unwrap().1.split(' ').next().unwrap().parse::<u32>().unwrap();
        if let Some(told) = line.strip_prefix("arch = ") {
            arch = told;
        } else if let Some(function) = line.strip_prefix("Function ") {
            name = function.trim_end_matches(':');
        } else if line.starts_with("REG:") {
            let shared_bytes = number("SHARED:").saturating_sub(if arch == "sm_90a" { 1024 } else { 0 });
            let resources = Resources { registers: number("REG:"), stack: number("STACK:"), shared_bytes, barriers: 0 };
            expected.push((arch.to_owned(), name.to_owned(), resources));
        }
    }
    let cubins = cubins(&file("zstd.fatbin")).unwrap();
    let of = |cubin: &Cubin| {
        let arch = cubin.arch.clone();
        cubin.kernels.iter().map(move |(name, kernel)| (arch.clone(), name.clone(), kernel.resources)).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = cubins.iter().flat_map(of).collect();
    let key = |found: &(String, String, Resources)| (found.0.clone(), found.1.clone());
    found.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(found, expected);
    assert!(expected.len() == 14 && found.iter().any(|(_, _, resources)| resources.stack > 0));
}

#[test]
fn instructions_are_those_that_nvdisasm_shows() {
    let counted: Vec<String> = cubins(&file("zstd.fatbin"))
        .unwrap()
        .iter()
        .flat_map(|cubin| {
            let line = |(name, kernel): (&String, &Kernel)| {
                format!("{} {name} {} {}", cubin.arch, instructions(&kernel.text), local_accesses(&kernel.text))
            };
            cubin.kernels.iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(counted, String::from_utf8(file("nvdisasm.txt")).unwrap().lines().collect::<Vec<_>>());
}

#[test]
fn code_that_is_not_linked_yet_and_ptx_are_told_apart() {
    assert!(cubins(&file("rdc.o")).unwrap().iter().all(|cubin| cubin.relocatable));
    let mut handed_on = 0;
    let skipped = each_cubin(&file("ptx.o"), |_| {
        handed_on += 1;
        Ok(())
    });
    assert_eq!((skipped, handed_on), (Ok(Skipped { ptx: 1 }), 0));
}

#[test]
fn a_file_that_says_it_is_larger_than_it_can_be_is_refused_before_it_is_unpacked() {
    for (name, told) in [("zstd.fatbin", "more than 512 MiB"), ("lz4.fatbin", "larger than it can be")] {
        let mut bytes = file(name);
        // The size of the first entry when unpacked: behind the header of the fatbin.
        let size: u64 = if name.starts_with("zstd") { 1 << 40 } else { 256 << 20 };
        bytes[16 + 56..16 + 64].copy_from_slice(&size.to_le_bytes());
        let error = cubins(&bytes).unwrap_err().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
}

#[test]
fn sections_that_share_their_bytes_are_refused_before_they_are_copied() {
    let mut bytes = file("cuda12.8-sm_90a.cubin");
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let (table, whole) = (word(&bytes, 0x28) as usize, (bytes.len() as u64).to_le_bytes());
    for header in (table..bytes.len()).step_by(64).take(usize::from(bytes[0x3c])) {
        // Those with content, but for the names and the symbols.
        if bytes[header + 4] == 1 {
            bytes[header + 24..header + 32].fill(0);
            bytes[header + 32..header + 40].copy_from_slice(&whole);
        }
    }
    assert!(cubins(&bytes).unwrap_err().to_string().contains("its sections overlap"));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    for name in ["zstd.fatbin", "lz4.fatbin", "object.o", "cuda12.8-sm_90a.cubin"] {
        let whole = file(name);
        for cut in (0..whole.len()).step_by(whole.len() / 97 + 1) {
            let _ = cubins(&whole[..cut]);
            let mut flipped = whole.clone();
            flipped[cut] ^= 0xff;
            let _ = cubins(&flipped);
        }
    }
    assert!(matches!(cubins(&file("zstd.fatbin")[..500]), Err(CubinError::Damaged(_))));
}
