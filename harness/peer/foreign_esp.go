package peer

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

const espFolder = "peers/esp"

// ESPPlace is where a host with ESP runs, as its templates see it.
type ESPPlace struct {
	Program   string // this program's own file
	Dir       string // the host's own folder
	Interface string // of the node, in its namespace
	Link      string // its link address
}

// ESPHosts lists the hosts with ESP.
func ESPHosts() []string { return described(espFolder) }

// LoadESP reads the description of that name in fixtures/peers/esp: of a program that is a host with ESP (package esphost). It has no
// commands; what it is told, it reads.
func LoadESP(name string) (*Foreign, error) {
	return loadForeign(path.Join(espFolder, name+extension), ParseESP)
}

// ParseESP reads the description of a host with ESP. The error is a yamldoc.Problems.
func ParseESP(file string, data []byte) (*Foreign, error) {
	f := &Foreign{File: file, Digest: digest(data)}
	return f, yamldoc.Read(file, data, func(root yamldoc.Value) {
		f.At = root.Place()
		root.Fields(append(f.common(), yamldoc.Field{Name: "scripts", Read: f.readScripts})...)
	})
}

// readScripts takes the names of files beside the description.
func (f *Foreign) readScripts(v yamldoc.Value) {
	v.Items(func(_ int, item yamldoc.Value) {
		script, ok := item.Text()
		if !ok {
			return
		}
		content, err := fixtures.FS.ReadFile(path.Join(espFolder, script))
		if errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrNotExist) || path.Base(script) != script {
			item.Problem("%q is no file beside the description", script)
			return
		}
		f.scripts = append(f.scripts, File{script, defaultMode, content})
	})
}

// LaunchESP renders everything for a host with ESP. An error names the place in the description.
func (f *Foreign) LaunchESP(p ESPPlace) (*Launch, error) {
	w := writer{data: p}
	l := w.launch(f.Process, p.Dir)
	for _, s := range f.scripts {
		l.Files = append(l.Files, File{filepath.Join(p.Dir, s.Path), s.Mode, s.Content})
	}
	if err := errors.Join(w.errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return l, nil
}
