package lab

import (
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// policyFile is what the policy of a device is called that got it as a value.
const policyFile = "policy.yaml"

// policyFiles writes the station's policy as files.
func (s Station) policyFiles() ([]peer.File, error) {
	if s.GM != nil {
		text, err := policy.MarshalMember(*s.GM)
		return []peer.File{{Path: policyFile, Content: text}}, err
	}
	text, err := policy.MarshalKeyServer(*s.KS, peer.SigningKeyFile)
	return []peer.File{{Path: policyFile, Content: text}, {Path: peer.SigningKeyFile, Content: policy.SigningKeyPEM(*s.KS)}}, err
}
