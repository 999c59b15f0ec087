"""What Python's own types, its standard library, NumPy and Pillow give: facts of their public interfaces.

A result is named in a few words: `str`, `number`, `none`, `list[str]`, `tuple[number]`, `iter[str]`, `same`
(an object of the receiver's type), `unknown`, or the dotted name of a class; `|` stands between alternatives.
"""

from __future__ import annotations

from torchlore.analysis.names import words

NDARRAY = "numpy.ndarray"
IMAGE = "PIL.Image.Image"
PATH = "pathlib.Path"

_STR = """
    same: capitalize casefold center expandtabs join ljust lower lstrip removeprefix removesuffix replace
      rjust rstrip strip swapcase title translate upper zfill
    str: decode format format_map hex
    bytes: encode
    list[same]: split rsplit splitlines
    tuple[same]: partition rpartition
    number: count find index rfind rindex
    bool: endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable
      isspace istitle isupper startswith
"""

_NUMBER = """
    number: conjugate real imag bit_length bit_count numerator denominator
    bool: is_integer
    str: hex
    bytes: to_bytes
    tuple[number]: as_integer_ratio
"""

_FILE = """
    str: getvalue
    list[str]: readlines
    number: write tell seek fileno truncate
    bool: readable writable seekable isatty
    none: close flush writelines
    same: __enter__
"""

METHODS = {
    "str": _STR,
    "bytes": _STR,
    "number": _NUMBER,
    "bool": _NUMBER,
    NDARRAY: """
        same: argpartition argsort astype byteswap choose clip compress conj conjugate copy cumprod cumsum
          diagonal flatten newbyteorder ravel repeat reshape round squeeze swapaxes transpose view
        same|number: argmax argmin dot max mean min prod ptp searchsorted std sum take trace var
        tuple[same]: nonzero
        number: __len__
        bytes: tobytes tostring dumps
        none: fill itemset partition put resize setfield setflags sort tofile dump
    """,
    IMAGE: """
        same: convert resize crop rotate transpose copy filter point quantize reduce transform effect_spread
          remap_palette getchannel __enter__
        tuple[same]: split
        tuple[number]: getbbox
        bytes: tobytes
        none: save show paste putalpha putdata putpalette putpixel thumbnail verify seek close draft
        number: tell
    """,
    PATH: """
        same: absolute expanduser joinpath readlink relative_to rename replace resolve with_name with_stem
          with_suffix
        iter[same]: glob rglob iterdir
        str: as_posix as_uri read_text owner group
        bytes: read_bytes
        number: write_text write_bytes
        bool: exists is_absolute is_dir is_file is_mount is_relative_to is_symlink match samefile
        none: chmod hardlink_to mkdir rmdir symlink_to touch unlink
    """,
    "io.TextIOWrapper": "str: read readline" + _FILE,
    "io.BufferedIOBase": "bytes: read readline getvalue getbuffer" + _FILE,
    "argparse.ArgumentParser": """
        none: print_help print_usage set_defaults error exit
        argparse.Action: add_argument
        same: add_argument_group add_mutually_exclusive_group
        argparse.Subparsers: add_subparsers
        str: format_help format_usage
    """,
    "argparse.Subparsers": "argparse.ArgumentParser: add_parser",
    "tqdm.std.tqdm": """
        same: __enter__
        bool|none: update
        bool: refresh display
        none: close clear reset set_description set_description_str set_postfix set_postfix_str unpause
    """,
    "configparser.ConfigParser": """
        str: get
        number: getint getfloat
        bool: getboolean has_option has_section
        list[str]: sections options read
    """,
    "logging.Logger": """
        none: debug info warning warn error exception critical log setLevel addHandler removeHandler
          addFilter
        bool: isEnabledFor hasHandlers
        same: getChild
        number: getEffectiveLevel
    """,
    "re.Pattern": """
        re.Match|none: match search fullmatch
        str: sub
        list[str]: split findall
        iter[re.Match]: finditer
    """,
    "re.Match": """
        str: group expand
        tuple[str]: groups
        number: start end
        tuple[number]: span
    """,
    "datetime.datetime": """
        str: strftime isoformat ctime
        number: timestamp weekday isoweekday toordinal
        same: replace astimezone
        datetime.date: date
        datetime.time: time
        datetime.timedelta: utcoffset
    """,
    "datetime.timedelta": "number: total_seconds",
    "hashlib.hash": "str: hexdigest\nbytes: digest\nnone: update\nsame: copy",
    "random.Random": "number: random randint uniform gauss randrange getrandbits\nnone: seed shuffle",
    "numpy.random.Generator": """
        numpy.ndarray: random integers choice permutation normal uniform standard_normal rand randn randint
          beta binomial poisson exponential gamma permuted random_sample multinomial
        none: shuffle seed
    """,
}
"""What the methods of a type give, by the type's name."""

ATTRIBUTES = {
    NDARRAY: """
        same: T real imag base mT flat
        tuple[number]: shape strides
        number: size ndim itemsize nbytes
        numpy.dtype: dtype
    """,
    IMAGE: "tuple[number]: size\nnumber: width height\nstr: mode format filename\nunknown: info palette",
    PATH: """
        same: parent
        str: name stem suffix root anchor drive
        list[str]: suffixes
        tuple[str]: parts
        tuple[same]: parents
    """,
    "re.Match": "str: string lastgroup\nre.Pattern: re",
    "re.Pattern": "str: pattern\nnumber: flags groups",
    "datetime.datetime": "number: year month day hour minute second microsecond",
    "datetime.timedelta": "number: days seconds microseconds",
    "logging.Logger": "str: name\nnumber: level\nbool: propagate",
    "torch.finfo": "number: max min eps tiny smallest_normal resolution bits\nstr: dtype",
    "torch.dtype": "bool: is_floating_point is_complex is_signed\nnumber: itemsize",
    "number": "number: real imag numerator denominator",
}
"""What the attributes of a type are, by the type's name."""

RENAMED = {
    "pathlib.PurePath": PATH,
    "pathlib.PosixPath": PATH,
    "pathlib.WindowsPath": PATH,
    "pathlib.PurePosixPath": PATH,
    "io.BytesIO": "io.BufferedIOBase",
    "io.BufferedReader": "io.BufferedIOBase",
    "io.BufferedWriter": "io.BufferedIOBase",
    "io.StringIO": "io.TextIOWrapper",
    "builtins.str": "str",
    "builtins.bytes": "bytes",
    "builtins.bytearray": "bytes",
    "builtins.bool": "bool",
    "builtins.int": "number",
    "builtins.float": "number",
    "builtins.complex": "number",
    "numpy.random.RandomState": "numpy.random.Generator",
    "torch.iinfo": "torch.finfo",
    "numpy.array": NDARRAY,
    "numpy.typing.NDArray": NDARRAY,
    "numpy.typing.ArrayLike": NDARRAY,
    "PIL.Image": IMAGE,
}
"""Classes that have the interface of another one, and other names of a class."""

FUNCTIONS = """
    str: os.getcwd os.getenv os.path.* os.fspath os.strerror os.ctermid os.getlogin platform.* re.sub
      re.escape html.unescape html.escape urllib.parse.quote urllib.parse.unquote urllib.parse.urljoin
      urllib.parse.quote_plus urllib.parse.unquote_plus urllib.parse.urlencode textwrap.* json.dumps
      time.strftime time.ctime time.asctime inspect.getsource inspect.getdoc inspect.cleandoc
      inspect.getfile socket.gethostname socket.gethostbyname getpass.* shutil.move shutil.copy
      shutil.copyfile shutil.copytree shutil.make_archive subprocess.getoutput traceback.format_exc
      string.capwords locale.setlocale unicodedata.normalize glob.escape pprint.pformat ast.unparse
      secrets.token_hex tempfile.mkdtemp tempfile.gettempdir builtins.str builtins.repr builtins.format
      builtins.chr builtins.input builtins.ascii builtins.hex builtins.bin builtins.oct typing.get_type_hints
      base64.encodebytes
    str|none: shutil.which os.environ.get
    bytes: base64.b64decode base64.b64encode base64.decodebytes pickle.dumps os.urandom struct.pack
      zlib.compress zlib.decompress gzip.compress gzip.decompress builtins.bytes builtins.bytearray
    bool: os.path.exists os.path.isfile os.path.isdir os.path.islink os.path.isabs os.path.ismount
      os.path.samefile os.access math.isnan math.isinf math.isfinite math.isclose inspect.is* builtins.bool
      builtins.isinstance builtins.issubclass builtins.hasattr builtins.callable dataclasses.is_dataclass
      fnmatch.fnmatch torch.is_tensor torch.is_storage torch.is_complex torch.is_floating_point
      torch.is_nonzero torch.is_grad_enabled torch.is_inference_mode_enabled torch.equal torch.allclose
      torch.can_cast torch.*.is_available torch.*.is_bf16_supported torch.*.is_built torch.is_same_size
      torch.is_autocast_enabled torch.distributed.is_initialized torch.distributed.is_torchelastic_launched
      torch.*.is_initialized torch.compiler.is_compiling torch.jit.is_scripting torch.jit.is_tracing
      torch.are_deterministic_algorithms_enabled numpy.allclose numpy.array_equal numpy.isscalar
      numpy.shares_memory torch.is_distributed torch.*.is_gloo_available torch.*.is_nccl_available
      torch.*.is_mpi_available
    number: math.* cmath.* statistics.* time.time time.perf_counter time.monotonic time.process_time
      time.time_ns time.perf_counter_ns os.path.getsize os.path.getmtime os.getpid os.cpu_count os.system
      os.getuid random.random random.randint random.uniform random.gauss random.randrange
      random.normalvariate random.betavariate random.expovariate random.triangular random.getrandbits
      sys.getsizeof gc.collect calendar.timegm
      multiprocessing.cpu_count subprocess.call subprocess.check_call zlib.crc32 operator.index
      builtins.len builtins.ord builtins.id builtins.hash builtins.divmod torch.numel
      torch.*.device_count torch.*.current_device torch.*.memory_allocated torch.*.max_memory_allocated
      torch.*.memory_reserved torch.*.max_memory_reserved torch.*.memory_cached torch.*.max_memory_cached
      torch.distributed.get_rank torch.distributed.get_world_size torch.distributed.get_node_local_rank
      torch.get_num_threads torch.get_num_interop_threads torch.seed torch.initial_seed torch.*.utilization
      torch.nn.init.calculate_gain numpy.ndim numpy.size
    none: time.sleep os.makedirs os.mkdir os.remove os.rename os.chdir os.rmdir os.unlink os.putenv
      random.seed random.shuffle shutil.rmtree json.dump pickle.dump warnings.* gc.disable gc.enable
      builtins.print builtins.delattr numpy.save numpy.savez numpy.savez_compressed numpy.savetxt
      numpy.random.seed numpy.random.shuffle numpy.set_printoptions numpy.fill_diagonal numpy.copyto
      numpy.put numpy.putmask torch.save torch.set_printoptions torch.set_num_threads torch.*.empty_cache
      torch.*.synchronize torch.*.manual_seed_all torch.*.set_device torch.*.reset_peak_memory_stats
      torch.use_deterministic_algorithms torch.set_float32_matmul_precision torch.*.reset_max_memory_allocated
      torch.distributed.init_process_group torch.distributed.destroy_process_group logging.basicConfig
      logging.debug logging.info logging.warning logging.error logging.exception logging.critical
      matplotlib.pyplot.show matplotlib.pyplot.close matplotlib.pyplot.savefig torch.cuda.manual_seed
      torchvision.utils.save_image
    list[str]: os.listdir glob.glob re.split re.findall shlex.split fnmatch.filter builtins.dir
      traceback.format_exception
    iter[str]: glob.iglob
    iter[tuple[unknown]]: os.walk
    tuple[str]: os.path.split os.path.splitext os.path.splitdrive tempfile.mkstemp shutil.get_terminal_size
    pathlib.Path: pathlib.Path.cwd pathlib.Path.home
    logging.Logger: logging.getLogger accelerate.logging.get_logger transformers.utils.logging.get_logger
      diffusers.utils.logging.get_logger
    re.Pattern: re.compile
    re.Match|none: re.match re.search re.fullmatch
    iter[re.Match]: re.finditer
    datetime.datetime: datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today
      datetime.datetime.strptime datetime.datetime.fromisoformat datetime.datetime.fromtimestamp
      datetime.date.today datetime.date
    hashlib.hash: hashlib.md5 hashlib.sha1 hashlib.sha256 hashlib.sha512 hashlib.new
    inspect.Signature: inspect.signature
    uuid.UUID: uuid.uuid1 uuid.uuid4
    subprocess.CompletedProcess: subprocess.run
    csv.writer: csv.writer
    numpy.random.Generator: numpy.random.default_rng
    list[numpy.ndarray]: numpy.split numpy.array_split numpy.hsplit numpy.vsplit numpy.meshgrid
      numpy.broadcast_arrays
    tuple[numpy.ndarray]: numpy.nonzero numpy.histogram numpy.unravel_index numpy.linalg.eigh
      numpy.linalg.eig numpy.linalg.qr numpy.divmod numpy.modf numpy.frexp
    tuple[number]: numpy.shape
    numpy.ndarray|number: numpy.mean numpy.sum numpy.max numpy.min numpy.amax numpy.amin numpy.std numpy.var
      numpy.prod numpy.ptp numpy.median numpy.average numpy.percentile numpy.quantile numpy.argmax
      numpy.argmin numpy.nanmean numpy.nansum numpy.nanmax numpy.nanmin numpy.nanstd numpy.nanvar
      numpy.nanmedian numpy.dot numpy.inner numpy.vdot numpy.trace numpy.count_nonzero
      numpy.searchsorted numpy.linalg.norm numpy.linalg.det
    numpy.ndarray: scipy.ndimage.* scipy.special.* scipy.signal.* cv2.resize cv2.cvtColor cv2.GaussianBlur
      cv2.imread cv2.Canny
    numpy.dtype: numpy.dtype
    torch.dtype: torch.get_default_dtype torch.promote_types torch.result_type torch.get_autocast_dtype
    torch.finfo: torch.finfo torch.iinfo
    str: torch.typename torch.*.get_device_name torch.*.memory_summary torch.distributed.get_backend
    tuple[number]: torch.Size torch.broadcast_shapes torch.*.get_device_capability torch.*.mem_get_info
    PIL.Image.Image: PIL.Image.open PIL.Image.new PIL.Image.fromarray PIL.Image.frombytes
      PIL.Image.frombuffer PIL.Image.merge PIL.Image.blend PIL.Image.composite PIL.Image.alpha_composite
      PIL.ImageOps.* PIL.ImageChops.* PIL.ImageGrab.grab torchvision.transforms.functional.to_pil_image
      torchvision.transforms.ToPILImage.__call__ diffusers.utils.load_image
    PIL.ImageDraw.ImageDraw: PIL.ImageDraw.Draw
    PIL.ImageFont.FreeTypeFont: PIL.ImageFont.truetype PIL.ImageFont.load_default
"""
"""What functions give, by dotted name; `*` stands for any name."""

NO_ARRAYS = frozenset(
    [
        "numpy.load",
        "numpy.vectorize",
        "numpy.frompyfunc",
        "numpy.errstate",
        "numpy.printoptions",
        "numpy.nditer",
        "numpy.ndenumerate",
        "numpy.ndindex",
        "numpy.tolist",
        "numpy.seterr",
        "numpy.geterr",
        "numpy.get_printoptions",
        "numpy.iterable",
        "numpy.may_share_memory",
        "numpy.issubdtype",
        "numpy.finfo",
        "numpy.iinfo",
        "numpy.info",
        "numpy.require",
        "numpy.unique",
        "numpy.random.get_state",
        "numpy.random.set_state",
        "numpy.lib",
        "numpy.testing",
        "numpy.where",
        "numpy.genfromtxt",
        "numpy.apply_along_axis",
        "numpy.array2string",
        "numpy.linalg.svd",
        "numpy.linalg.lstsq",
    ]
)
"""Functions of NumPy that give something other than an array (or not only one)."""

ELEMENTWISE = frozenset(
    f"numpy.{name}"
    for name in words(
        """
        sqrt cbrt square exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh
        cosh tanh hypot deg2rad rad2deg degrees radians abs absolute fabs sign floor ceil rint trunc round add
        subtract multiply divide true_divide floor_divide power float_power mod remainder fmod maximum minimum
        fmax fmin clip negative positive reciprocal gcd lcm isnan isinf isfinite float32 float64 float16 int8
        int16 int32 int64 uint8 uint16 uint32 uint64 real imag conj angle
        """
    )
)
"""Functions and types of NumPy that give a number for numbers, and an array for arrays."""
