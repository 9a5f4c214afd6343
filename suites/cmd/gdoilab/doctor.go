package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// finding is one line of the doctor's report. Needed findings decide the exit status; the others only say what will be
// skipped.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Needed bool   `json:"needed"`
	Found  string `json:"found"`
	For    string `json:"for"`
}

// doctorJSON is the JSON of "doctor": docs/schema/doctor.schema.json.
type doctorJSON struct {
	Findings []finding `json:"findings"`
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check this machine's tools and privileges", Args: cobra.NoArgs,
		Long: `Check what this machine offers, and say what each thing is for. Nothing is needed to run specs on the memory fabric;
what is missing leaves out the specs that need it, with the reason.`,
		RunE: func(c *cobra.Command, _ []string) error {
			findings := examine()
			if asJSON {
				if err := printJSON(c.OutOrStdout(), doctorJSON{findings}); err != nil {
					return err
				}
			} else {
				printFindings(c.OutOrStdout(), findings)
			}
			return needed(findings)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printFindings(w io.Writer, findings []finding) {
	g := &grid{Header: []string{"", "what", "found", "for"}, Wide: 3}
	for _, f := range findings {
		mark := "ok"
		if !f.OK {
			mark = "missing"
		}
		g.add(mark, f.Name, f.Found, f.For)
	}
	g.render(w)
}

// needed is the error of the first finding that nothing can do without.
func needed(findings []finding) error {
	for _, f := range findings {
		if f.Needed && !f.OK {
			return fmt.Errorf("%s is needed: %s", f.Name, f.For)
		}
	}
	return nil
}

func examine() []finding {
	findings := []finding{
		{"system", runtime.GOOS == "linux", true, runtime.GOOS + "/" + runtime.GOARCH, "everything"},
		tool("go", "building from source (Go 1.26); not needed to run this binary", "version"),
		privileges(),
		fabric("netns"),
		nat(),
		containers(),
		tool("tshark", "reading our captures with Wireshark's decryption in \"make test\"", "--version"),
		scapy(),
	}
	return findings
}

func privileges() finding {
	f := finding{Name: "root", OK: os.Geteuid() == 0, Found: fmt.Sprintf("uid %d", os.Geteuid()), For: "the netns fabric"}
	return f
}

func fabric(name string) finding {
	f := finding{Name: "fabric " + name, For: "real sockets, a real IP stack, the hosts' own ping and TCP", Found: "usable"}
	chosen, err := kit.FabricByName(name)
	if u, ok := chosen.(usable); err == nil && ok {
		err = u.Usable()
	}
	if f.OK = err == nil; !f.OK {
		f.Found = err.Error()
	}
	return f
}

// nat is what the kernel has for members behind a NAT.
func nat() finding {
	f := finding{Name: "NAT of netns", OK: true, For: "members behind a NAT, on the netns fabric", Found: "nftables in the kernel"}
	if err := (lab.Namespaces{}).NATUsable(); err != nil {
		f.OK, f.Found = false, err.Error()
	}
	return f
}

// containers is what there is for devices in containers.
func containers() finding {
	f := finding{Name: "containers", OK: true, For: "devices that come as container images, on the netns fabric", Found: "an engine answers"}
	if err := lab.Containers(); err != nil {
		f.OK, f.Found = false, err.Error()
	}
	return f
}

// tool looks for a program and takes the first line of what it says of its version.
func tool(name, purpose string, args ...string) finding {
	f := finding{Name: name, For: purpose, Found: "not found"}
	path, err := exec.LookPath(name)
	if err != nil {
		return f
	}
	f.OK, f.Found = true, path
	if out, err := exec.Command(path, args...).Output(); err == nil {
		first, _, _ := strings.Cut(string(out), "\n")
		f.Found = first
	}
	return f
}

// scapy asks Debian's own Python, where its packages live.
func scapy() finding {
	f := finding{Name: "scapy", For: "opening our ESP packets with a foreign decoder in \"make test\"", Found: "not found"}
	out, err := exec.Command("/usr/bin/python3", "-c",
		"import scapy, cryptography; print('scapy', scapy.VERSION, 'cryptography', cryptography.__version__)").Output()
	if err == nil {
		f.OK, f.Found = true, strings.TrimSpace(string(out))
	}
	return f
}
