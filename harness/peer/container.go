package peer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Container is a program in a container whose network is that of its node. Paths are those inside of it.
type Container struct {
	// Process is what runs there. Without a command it is what the image runs by itself; without a directory, the image's.
	Process
	Image        Text         // one that is there already; or
	Build        []Ingredient // files of this machine, of which one is made that has nothing else; or
	Context      Text         // a folder of this machine with a Dockerfile
	Capabilities []string     // beside the usual ones
	Devices      []string     // of this machine
	Writable     []string     // of what is read-only in containers
	Collect      []Text       // files that are kept with the evidence
}

// Ingredient is a file of this machine that becomes one of an image.
type Ingredient struct {
	Path Text // in the image
	From Text
	Mode uint32
}

// Vessel is a Container with everything of it rendered that a Process has not.
type Vessel struct {
	At           string
	Image        string // or
	Build        []Copy // or
	Context      string
	Capabilities []string
	Devices      []string
	Writable     []string
	Collect      []string
}

// Copy is an Ingredient, rendered.
type Copy struct {
	Path, From string
	Mode       uint32
}

// Container returns the container that the device is, nil if it is none.
func (r *Role) Container() *Container {
	for _, s := range r.Starts {
		if c, ok := s.(*Container); ok {
			return c
		}
	}
	return nil
}

// vessel renders what a container has beside its process, which is l.
func (w *writer) vessel(c *Container, l *Launch, dir string) *Vessel {
	v := &Vessel{
		At: c.At, Image: w.one(c.Image), Context: w.one(c.Context), Capabilities: c.Capabilities, Devices: c.Devices,
		Writable: c.Writable, Collect: w.all(c.Collect),
	}
	if len(c.Build) > 0 && l.Directory == "" {
		l.Directory = dir // an image that is built of files has none
	}
	for _, i := range c.Build {
		v.Build = append(v.Build, Copy{w.one(i.Path), w.one(i.From), i.Mode})
	}
	return v
}

// Origin says where the image comes from.
func (v *Vessel) Origin() string {
	switch {
	case v.Image != "":
		return v.Image
	case v.Context != "":
		return "made of " + v.Context
	}
	from := make([]string, len(v.Build))
	for i, c := range v.Build {
		from[i] = c.From
	}
	return "made of " + strings.Join(from, ", ")
}

// find returns an error if something is missing of which the image is to be made.
func (v *Vessel) find() error {
	var errs []error
	for _, c := range v.Build {
		info, err := os.Stat(c.From)
		if err == nil && !info.Mode().IsRegular() {
			err = &fs.PathError{Op: "read", Path: c.From, Err: errors.New("no file")}
		}
		errs = append(errs, err)
	}
	if v.Context != "" {
		_, err := os.Stat(filepath.Join(v.Context, "Dockerfile"))
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: the image of the device cannot be made: %w", v.At, err)
	}
	return nil
}
