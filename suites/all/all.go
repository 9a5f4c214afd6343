// Package all links every suite into a program.
package all

import (
	_ "github.com/gdoilab/gdoilab/suites/ack"               // specs
	_ "github.com/gdoilab/gdoilab/suites/ah"                // specs
	_ "github.com/gdoilab/gdoilab/suites/algorithms"        // specs
	_ "github.com/gdoilab/gdoilab/suites/compat"            // specs
	_ "github.com/gdoilab/gdoilab/suites/dataplane"         // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/acl"        // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/authz"      // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/change"     // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/console"    // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/membership" // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/messages"   // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/mib"        // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/modes"      // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/routing"    // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/tbar"       // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/timers"     // specs
	_ "github.com/gdoilab/gdoilab/suites/getvpn/vrf"        // specs
	_ "github.com/gdoilab/gdoilab/suites/iec61850"          // specs
	_ "github.com/gdoilab/gdoilab/suites/interop"           // specs
	_ "github.com/gdoilab/gdoilab/suites/ipv6"              // specs
	_ "github.com/gdoilab/gdoilab/suites/lifecycle"         // specs
	_ "github.com/gdoilab/gdoilab/suites/lkh"               // specs
	_ "github.com/gdoilab/gdoilab/suites/membership"        // specs
	_ "github.com/gdoilab/gdoilab/suites/natt"              // specs
	_ "github.com/gdoilab/gdoilab/suites/pairs"             // specs
	_ "github.com/gdoilab/gdoilab/suites/phase1"            // specs
	_ "github.com/gdoilab/gdoilab/suites/registration"      // specs
	_ "github.com/gdoilab/gdoilab/suites/rekey"             // specs
	_ "github.com/gdoilab/gdoilab/suites/robustness"        // specs
	_ "github.com/gdoilab/gdoilab/suites/sequence"          // specs
)
