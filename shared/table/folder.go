package table

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"waggle/shared/fault"
)

// Folder is where tables are read from and written to: a local folder, a folder of files embedded
// in the binary, or a blob URL. It is only a name: nothing is opened until a file is read or
// written, so a Folder costs nothing and needs no closing.
type Folder struct {
	place place
	err   error // why it is no folder; every use reports it
}

// place is a kind of folder. Names of files are slash paths inside the folder.
type place interface {
	// open returns the file, or an error that satisfies fs.ErrNotExist or has a code.
	open(ctx context.Context, file string) (io.ReadCloser, error)
	// list returns the names of the files in the folder, in order.
	list(ctx context.Context) ([]string, error)
	// create returns a file that does not exist before commit.
	create(ctx context.Context, file string) (draft, error)
	// path is what a person opens.
	path(file string) string
}

// draft is a file being written, whole or not at all.
type draft interface {
	io.Writer
	commit() error
	discard()
}

// At is a folder by its path or URL: data, /srv/data, file:///srv/data, mem://scratch,
// s3://bucket/data. A relative path is relative to the working directory, or to the folder that
// WAGGLE_FILES names in the environment, as in a deployment, whose functions have no files of
// their own: its bucket. mem:// is memory of this
// process, one folder tree a host name, for tests. For any other scheme the binary must link its
// gocloud.dev/blob driver; the parameters of the URL are the driver's.
func At(pathOrURL string) Folder {
	switch scheme, _, isURL := strings.Cut(pathOrURL, "://"); {
	case pathOrURL == "":
		return Folder{err: fault.New(fault.Invalid, "the folder is empty").WithHint("give a path or a blob URL; %q is the working directory", ".")}
	case !isURL && !filepath.IsAbs(pathOrURL) && os.Getenv(filesVariable) != "":
		return At(joinURL(os.Getenv(filesVariable), filepath.ToSlash(filepath.Clean(pathOrURL))))
	case !isURL:
		return Folder{place: localFolder{dir: filepath.Clean(pathOrURL), shown: pathOrURL}}
	case scheme == "file":
		return atFileURL(pathOrURL)
	}
	return atBlobURL(pathOrURL)
}

// filesVariable says what relative paths are relative to: an absolute path or a blob URL. Not set: the working directory.
const filesVariable = "WAGGLE_FILES"

// Embedded is a folder of files in the binary: the files under dir of an embed.FS. It is for
// reading only.
func Embedded(files fs.FS, dir string) Folder {
	if files == nil || !fs.ValidPath(dir) {
		return Folder{err: fault.New(fault.Invalid, "%q is no folder of embedded files", dir).WithHint("give an embed.FS and a slash path inside it, without a slash at either end")}
	}
	return Folder{place: embedded{files, dir}}
}

// String is the folder as a person would name it.
func (f Folder) String() string {
	if f.place == nil {
		return ""
	}
	return f.place.path("")
}

// Path is the file in the folder as a person can open it: a relative folder stays relative, a URL
// a URL. A name that leaves the folder is returned as it is; reading and writing refuse it.
func (f Folder) Path(file string) string {
	if f.place == nil || !fs.ValidPath(file) {
		return file
	}
	return f.place.path(file)
}

// Has reports whether the folder has a file. A folder that does not exist has none; a named pipe is there once something writes to it.
func (f Folder) Has(ctx context.Context, file string) (bool, error) {
	op := "look for " + f.Path(file)
	if err := f.check(file); err != nil {
		return false, ioFault(op, err)
	}
	if err := ctx.Err(); err != nil {
		return false, fault.Wrap(fault.Canceled, op, err)
	}
	r, err := f.place.open(ctx, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, ioFault(op, err)
	}
	return true, r.Close()
}

// check refuses the zero Folder and names that leave the folder.
func (f Folder) check(file string) error {
	switch {
	case f.err != nil:
		return f.err
	case f.place == nil:
		return fault.New(fault.Invalid, "the zero table.Folder is no folder").WithHint("make one with table.At or table.Embedded")
	case !fs.ValidPath(file) || file == ".":
		return fault.New(fault.Invalid, "%q is no file in a folder", file).WithHint("give a slash path inside the folder, without .. and without a slash at either end")
	}
	return nil
}

// open returns the file for reading. A missing one lists the files that are there.
func (f Folder) open(ctx context.Context, file string) (io.ReadCloser, error) {
	if err := f.check(file); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Canceled, "", err)
	}
	r, err := f.place.open(ctx, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.missing(ctx, file)
	}
	if err != nil {
		return nil, ioFault("", err)
	}
	return r, nil
}

func (f Folder) missing(ctx context.Context, file string) error {
	files, err := f.place.list(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "no folder %q", f.String()).WithHint("create it, or name another folder")
	}
	if err != nil || len(files) == 0 {
		return fault.New(fault.NotFound, "no file %q, the folder %q has none", file, f.String()).WithHint("put it there, or name another folder")
	}
	slices.Sort(files)
	missing := fault.New(fault.NotFound, "no file %q in %q, the files are %s", file, f.String(), enumerate(files))
	if near := fault.Nearest(file, files); near != "" {
		return missing.WithHint("is it %q?", near)
	}
	return missing.WithHint("put it there, or name another folder")
}

// read calls use with the open file and names the file in every error.
func (f Folder) read(ctx context.Context, file string, use func(io.Reader) error) error {
	op := "read " + f.Path(file)
	r, err := f.open(ctx, file)
	if err != nil {
		return ioFault(op, err)
	}
	defer r.Close()
	if err := use(r); err != nil {
		if ctx.Err() != nil {
			return fault.Wrap(fault.Canceled, op, context.Cause(ctx))
		}
		return ioFault(op, err)
	}
	return nil
}

// write calls use with a file that exists, whole, once use and the commit have worked.
func (f Folder) write(ctx context.Context, file string, use func(io.Writer) error) (string, error) {
	shown := f.Path(file)
	op := "write " + shown
	if err := f.check(file); err != nil {
		return "", ioFault(op, err)
	}
	if err := ctx.Err(); err != nil {
		return "", fault.Wrap(fault.Canceled, op, err)
	}
	d, err := f.place.create(ctx, file)
	if err != nil {
		return "", ioFault(op, err)
	}
	defer d.discard()
	if err := use(d); err != nil {
		return "", ioFault(op, err)
	}
	if err := ctx.Err(); err != nil {
		return "", fault.Wrap(fault.Canceled, op, err)
	}
	if err := d.commit(); err != nil {
		return "", ioFault(op, err)
	}
	return shown, nil
}

// embedded is a folder in the binary.
type embedded struct {
	files fs.FS
	dir   string
}

func (e embedded) path(file string) string { return "embedded:" + path.Join(e.dir, file) }

func (e embedded) open(_ context.Context, file string) (io.ReadCloser, error) {
	return openRegular(e.files.Open(path.Join(e.dir, file)))
}

func (e embedded) list(context.Context) ([]string, error) {
	return fileNames(fs.ReadDir(e.files, e.dir))
}

func (e embedded) create(context.Context, string) (draft, error) {
	return nil, fault.New(fault.Denied, "files in the binary cannot be written").WithHint("write to table.At(folder)")
}

// openRegular refuses a folder that bears the file's name.
func openRegular(f fs.File, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fault.New(fault.Invalid, "it is a folder").WithHint("name a file in it")
	}
	return f, nil
}

func fileNames(entries []fs.DirEntry, err error) ([]string, error) {
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}
