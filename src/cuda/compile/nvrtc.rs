//! The few functions of NVRTC that are needed, loaded by name from a library at a path.
//!
//! cudarc would look for one major version under fixed names and end the process where it finds none, so NVRTC is loaded
//! here: any version that has these functions, from anywhere, and whatever is missing is an error.
#![expect(unsafe_code, reason = "NVRTC is a C library; this is the only file that calls it")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr;

use crate::cuda::Program;

type Handle = *mut std::ffi::c_void;

const SUCCESS: c_int = 0;
const COMPILATION: c_int = 6;

/// The functions, with the types that `nvrtc.h` gives them.
#[derive(Debug, Clone, Copy)]
struct Functions {
    error_string: unsafe extern "C" fn(c_int) -> *const c_char,
    create: unsafe extern "C" fn(
        *mut Handle,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> c_int,
    destroy: unsafe extern "C" fn(*mut Handle) -> c_int,
    compile: unsafe extern "C" fn(Handle, c_int, *const *const c_char) -> c_int,
    log_size: unsafe extern "C" fn(Handle, *mut usize) -> c_int,
    log: unsafe extern "C" fn(Handle, *mut c_char) -> c_int,
    cubin_size: unsafe extern "C" fn(Handle, *mut usize) -> c_int,
    cubin: unsafe extern "C" fn(Handle, *mut c_char) -> c_int,
}

/// A loaded NVRTC.
#[derive(Debug)]
pub(super) struct Library {
    functions: Functions,
    version: (u32, u32),
    archs: Vec<u32>,
    /// Never unloaded: NVRTC keeps threads and state of its own.
    _loaded: ManuallyDrop<Vec<libloading::Library>>,
}

/// What is compiled, and how.
pub(super) struct Request<'a> {
    pub(super) program: &'a Program,
    pub(super) options: Vec<String>,
    /// Folders of CUDA's own headers, as options. They belong to the installation, not to the program.
    pub(super) includes: Vec<String>,
}

/// Why there is no code.
#[derive(Debug)]
pub(super) enum Failure {
    Refused { log: String },
    Failed { why: String },
}

impl Library {
    /// Loads NVRTC, after the library of its built-in functions where that is known.
    pub(super) fn load(path: &Path, builtins: Option<&Path>) -> Result<Self, String> {
        let open = |path: &Path| {
            // SAFETY: loading runs the library's initialisers. It is the library that CUDA installed, or that the user
            // named; running it is what was asked for.
            unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())
        };
        // NVRTC looks for this one by name alone; loaded before, it is found wherever it lies.
        let builtins = builtins.and_then(|path| open(path).ok());
        let library = open(path)?;
        let version = version(&library)?;
        if version.0 < OLDEST_MAJOR {
            return Err(format!("it is NVRTC {}.{}, older than {OLDEST_MAJOR}.0", version.0, version.1));
        }
        let functions = functions(&library)?;
        let archs = archs(&library).unwrap_or_default();
        Ok(Self { functions, version, archs, _loaded: ManuallyDrop::new(builtins.into_iter().chain([library]).collect()) })
    }

    pub(super) fn version(&self) -> (u32, u32) {
        self.version
    }

    /// Numbers of the architectures, 90 for `sm_90`; empty where the library does not tell.
    pub(super) fn archs(&self) -> Vec<u32> {
        self.archs.clone()
    }

    /// Compiles, and gives the CUBIN and the log.
    pub(super) fn compile(&self, request: &Request<'_>) -> Result<(Vec<u8>, String), Failure> {
        let texts = Texts::of(request).map_err(|why| Failure::Failed { why })?;
        let session = Session::create(self, &texts)?;
        session.compile(&texts)?;
        Ok((session.cubin()?, session.log()))
    }

    fn checked(&self, result: c_int) -> Result<(), Failure> {
        if result == SUCCESS {
            return Ok(());
        }
        // SAFETY: the function takes any number and gives a static string or null.
        let text = unsafe { (self.functions.error_string)(result) };
        let why = if text.is_null() {
            format!("error {result}")
        } else {
            // SAFETY: not null, and static and terminated by the library's contract.
            unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
        };
        Err(Failure::Failed { why })
    }
}

/// The oldest major version that gives CUBIN and tells its architectures in the way used here.
const OLDEST_MAJOR: u32 = 12;

fn symbol<T: Copy>(library: &libloading::Library, name: &str) -> Result<T, String> {
    // SAFETY: every caller asks for the type that nvrtc.h gives the function of this name; they have not changed since
    // CUDA 12, and older versions are refused.
    unsafe { library.get::<T>(name.as_bytes()) }.map(|symbol| *symbol).map_err(|_| format!("it has no function {name}"))
}

fn version(library: &libloading::Library) -> Result<(u32, u32), String> {
    let version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int = symbol(library, "nvrtcVersion")?;
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both pointers are to integers that outlive the call.
    let result = unsafe { version(&raw mut major, &raw mut minor) };
    match (result, u32::try_from(major), u32::try_from(minor)) {
        (SUCCESS, Ok(major), Ok(minor)) => Ok((major, minor)),
        _ => Err("it does not tell its version".to_owned()),
    }
}

fn functions(library: &libloading::Library) -> Result<Functions, String> {
    Ok(Functions {
        error_string: symbol(library, "nvrtcGetErrorString")?,
        create: symbol(library, "nvrtcCreateProgram")?,
        destroy: symbol(library, "nvrtcDestroyProgram")?,
        compile: symbol(library, "nvrtcCompileProgram")?,
        log_size: symbol(library, "nvrtcGetProgramLogSize")?,
        log: symbol(library, "nvrtcGetProgramLog")?,
        cubin_size: symbol(library, "nvrtcGetCUBINSize")?,
        cubin: symbol(library, "nvrtcGetCUBIN")?,
    })
}

fn archs(library: &libloading::Library) -> Option<Vec<u32>> {
    let count: unsafe extern "C" fn(*mut c_int) -> c_int = symbol(library, "nvrtcGetNumSupportedArchs").ok()?;
    let list: unsafe extern "C" fn(*mut c_int) -> c_int = symbol(library, "nvrtcGetSupportedArchs").ok()?;
    let mut number = 0;
    // SAFETY: the pointer is to an integer that outlives the call.
    (unsafe { count(&raw mut number) } == SUCCESS).then_some(())?;
    let mut archs = vec![0; usize::try_from(number).ok().filter(|number| *number < 1000)?];
    // SAFETY: there is room for as many integers as the library has just said.
    (unsafe { list(archs.as_mut_ptr()) } == SUCCESS).then_some(())?;
    archs.into_iter().map(|arch| u32::try_from(arch).ok()).collect()
}

/// Everything that goes to NVRTC, terminated as C wants it.
struct Texts {
    source: CString,
    name: CString,
    headers: Vec<CString>,
    header_names: Vec<CString>,
    options: Vec<CString>,
}

impl Texts {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let text = |what: &str, text: &str| CString::new(text).map_err(|_| format!("{what} holds a NUL character"));
        let program = request.program;
        let headers = &program.headers;
        Ok(Self {
            source: text("the source", &program.source)?,
            name: text("the source's name", &program.name)?,
            headers: headers.iter().map(|header| text(&header.name, &header.text)).collect::<Result<_, _>>()?,
            header_names: headers.iter().map(|header| text("a header's name", &header.name)).collect::<Result<_, _>>()?,
            options: request
                .options
                .iter()
                .chain(&request.includes)
                .map(|option| text("an option", option))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).collect()
}

/// A program of NVRTC, destroyed when it goes.
struct Session<'a> {
    library: &'a Library,
    handle: Handle,
}

impl<'a> Session<'a> {
    fn create(library: &'a Library, texts: &Texts) -> Result<Self, Failure> {
        let (headers, names) = (pointers(&texts.headers), pointers(&texts.header_names));
        let mut handle: Handle = ptr::null_mut();
        // SAFETY: every pointer is to a terminated text that outlives the call (NVRTC copies them), and both lists have
        // as many entries as is said.
        let result = unsafe {
            (library.functions.create)(
                &raw mut handle,
                texts.source.as_ptr(),
                texts.name.as_ptr(),
                c_int::try_from(headers.len()).unwrap_or(0),
                headers.as_ptr(),
                names.as_ptr(),
            )
        };
        library.checked(result)?;
        Ok(Self { library, handle })
    }

    fn compile(&self, texts: &Texts) -> Result<(), Failure> {
        let options = pointers(&texts.options);
        // SAFETY: the handle is a program that was created and not destroyed; the options are terminated texts.
        let result = unsafe {
            (self.library.functions.compile)(self.handle, c_int::try_from(options.len()).unwrap_or(0), options.as_ptr())
        };
        match self.library.checked(result) {
            Err(Failure::Failed { why }) => {
                let log = self.log();
                // A wrong option is told in the log, too.
                let is_told = result == COMPILATION || !log.trim().is_empty();
                Err(if is_told { Failure::Refused { log } } else { Failure::Failed { why } })
            }
            other => other,
        }
    }

    /// What the compiler printed; empty where it does not say.
    fn log(&self) -> String {
        let functions = &self.library.functions;
        let bytes = self.bytes(functions.log_size, functions.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
    }

    fn cubin(&self) -> Result<Vec<u8>, Failure> {
        let functions = &self.library.functions;
        self.bytes(functions.cubin_size, functions.cubin)
    }

    fn bytes(
        &self,
        size: unsafe extern "C" fn(Handle, *mut usize) -> c_int,
        get: unsafe extern "C" fn(Handle, *mut c_char) -> c_int,
    ) -> Result<Vec<u8>, Failure> {
        let mut count = 0_usize;
        // SAFETY: the handle is live, the pointer is to a number that outlives the call.
        self.library.checked(unsafe { size(self.handle, &raw mut count) })?;
        if count > MAX_BYTES {
            return Err(Failure::Failed { why: format!("it announces {count} bytes") });
        }
        let mut bytes = vec![0_u8; count];
        // SAFETY: there is room for as many bytes as the library has just said.
        self.library.checked(unsafe { get(self.handle, bytes.as_mut_ptr().cast()) })?;
        Ok(bytes)
    }
}

/// More than any kernel's code or log.
const MAX_BYTES: usize = 1 << 30;

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // SAFETY: created, and destroyed only here.
        unsafe { (self.library.functions.destroy)(&raw mut self.handle) };
    }
}
