package container

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/gdoilab/gdoilab/harness/peer"
)

const (
	repository = "gdoilab/"      // begins the names of images that the harness makes
	imageLabel = "gdoilab.image" // has that name
	imagesKept = 4               // of each name, so that programs of several versions can take turns
)

// image returns the name of a device's image, which is there then.
func (e *engine) image(ctx context.Context, v *peer.Vessel) (string, error) {
	if _, err := e.connect(); err != nil {
		return "", err
	}
	if v.Image != "" {
		return v.Image, e.present(ctx, v)
	}
	e.building.Lock()
	defer e.building.Unlock()
	r, err := newRecipe(v)
	if err != nil {
		return "", err
	}
	if name, ok := e.images[r.key]; ok && e.has(ctx, name) {
		return name, nil // unless another program has made so many of that name that it went
	}
	name, err := e.make(ctx, r)
	if err != nil {
		return "", fmt.Errorf("container: making %s: %w", r.repository, err)
	}
	if e.images == nil {
		e.images = make(map[string]string)
	}
	e.images[r.key] = name
	return name, nil
}

// present returns an error if the image that a manifest names is not there. None is fetched: what is tested is what its user
// has put there.
func (e *engine) present(ctx context.Context, v *peer.Vessel) error {
	_, err := e.provider.Client().ImageInspect(ctx, v.Image)
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("%s: there is no image %s on this machine, and none is fetched", v.At, v.Image)
	}
	return err
}

func (e *engine) has(ctx context.Context, name string) bool {
	_, err := e.provider.Client().ImageInspect(ctx, name)
	return err == nil
}

// make builds an image, unless one of the same content is there.
func (e *engine) make(ctx context.Context, r *recipe) (string, error) {
	archive, err := r.archive()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(archive)
	tag := hex.EncodeToString(sum[:8])
	name := r.repository + ":" + tag
	if _, err := e.provider.Client().ImageInspect(ctx, name); !errdefs.IsNotFound(err) {
		return name, err
	}
	request := testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: bytes.NewReader(archive), Repo: r.repository, Tag: tag, KeepImage: true,
		BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Labels = map[string]string{imageLabel: r.repository} },
	}}
	if _, err := e.provider.BuildImage(ctx, &request); err != nil {
		return "", err
	}
	return name, e.prune(ctx, r.repository)
}

// prune removes the oldest images of a name. Those that a container has stay.
func (e *engine) prune(ctx context.Context, repository string) error {
	found, err := e.provider.Client().ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("label", imageLabel+"="+repository)})
	if err != nil {
		return err
	}
	slices.SortFunc(found.Items, func(a, b image.Summary) int { return cmp.Compare(b.Created, a.Created) })
	for _, old := range found.Items[min(imagesKept, len(found.Items)):] {
		_, err := e.provider.Client().ImageRemove(ctx, old.ID, client.ImageRemoveOptions{PruneChildren: true})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			return err
		}
	}
	return nil
}

// recipe is what an image is made of.
type recipe struct {
	repository string
	key        string // the files, their sizes and their times
	dockerfile string // "" if it is among the files
	files      []ingredient
}

// ingredient is a file of this machine and where it is in the archive that the image is built of.
type ingredient struct {
	path, from string
	mode       fs.FileMode
}

// builtFolder holds the files of a recipe without a Dockerfile of its own.
const builtFolder = "root"

func newRecipe(v *peer.Vessel) (*recipe, error) {
	r := &recipe{}
	var err error
	if v.Context != "" {
		err = r.readFolder(v.Context)
	} else {
		r.compose(v.Build)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.At, err)
	}
	key := []string{r.repository}
	for _, f := range r.files {
		info, err := os.Stat(f.from)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.At, err)
		}
		key = append(key, f.path, f.mode.String(), f.from, fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
	}
	r.key = strings.Join(key, "\x00")
	return r, nil
}

// compose makes a recipe of files, which has nothing else.
func (r *recipe) compose(build []peer.Copy) {
	r.repository = repository + imageName(build[0].Path)
	r.dockerfile = "FROM scratch\nCOPY " + builtFolder + "/ /\n"
	for _, c := range build {
		r.files = append(r.files, ingredient{path.Join(builtFolder, path.Clean("/"+c.Path)), c.From, fs.FileMode(c.Mode)})
	}
}

// readFolder makes a recipe of a folder with a Dockerfile.
func (r *recipe) readFolder(folder string) error {
	whole, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	r.repository = repository + imageName(whole)
	return filepath.WalkDir(whole, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(whole, name)
		r.files = append(r.files, ingredient{filepath.ToSlash(below), name, info.Mode().Perm()})
		return err
	})
}

// imageName makes a name for an image of the last part of a path.
func imageName(of string) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		}
		return '-'
	}, path.Base(filepath.ToSlash(of)))
	return cmp.Or(strings.Trim(name, "-"), "device")
}

// archive is the build context: the same octets for the same content.
func (r *recipe) archive() ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if r.dockerfile != "" {
		if err := add(w, "Dockerfile", 0o644, []byte(r.dockerfile)); err != nil {
			return nil, err
		}
	}
	for _, f := range r.files {
		content, err := os.ReadFile(f.from)
		if err == nil && r.dockerfile != "" {
			err = static(f.from, content)
		}
		if err == nil {
			err = add(w, f.path, f.mode, content)
		}
		if err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func add(w *tar.Writer, name string, mode fs.FileMode, content []byte) error {
	header := &tar.Header{Name: name, Mode: int64(mode.Perm()), Size: int64(len(content)), Format: tar.FormatPAX}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

// static returns an error if the file is a program that wants a dynamic linker, which an image from scratch has not.
func static(name string, content []byte) error {
	program, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil // no program, but perhaps its configuration
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			linker, _ := io.ReadAll(p.Open())
			return errors.New(name + " is linked with " + strings.TrimRight(string(linker), "\x00") + ", which its image has not; build it with CGO_ENABLED=0")
		}
	}
	return nil
}
