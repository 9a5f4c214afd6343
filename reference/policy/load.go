package policy

import (
	"os"
	"path/filepath"
)

// ReadFile returns the content of a file that a configuration names, as os.ReadFile does.
type ReadFile func(path string) ([]byte, error)

// LoadKeyServer reads the configuration of a key server and the files it names, whose paths are relative to the
// configuration file. What is wrong with the content comes back as a yamldoc.Problems with a line for each fault.
func LoadKeyServer(path string) (KeyServer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return KeyServer{}, err
	}
	return ParseKeyServer(path, data, besides(path))
}

// LoadMember reads the configuration of a group member; see LoadKeyServer.
func LoadMember(path string) (Member, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Member{}, err
	}
	return parseMember(path, data, besides(path))
}

// besides reads files whose names are relative to the directory of path.
func besides(path string) ReadFile {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return os.ReadFile(name)
	}
}
