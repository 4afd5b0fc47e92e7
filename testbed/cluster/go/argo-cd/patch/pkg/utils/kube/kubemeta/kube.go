// Package kubemeta reads what identifies a Kubernetes object from its JSON. The engine's own takes encoding/json/v2,
// which Go has from 1.27 on; this one is what it replaced, and is slower.
package kubemeta

import (
	"bytes"
	"encoding/json"

	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/utils/kube"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KubeJson is an object of which only the key is asked.
type KubeJson struct {
	object *unstructured.Unstructured
}

// NewKubeJson reads an object; nothing and null are an absent one.
func NewKubeJson(data []byte) (*KubeJson, error) {
	found := &KubeJson{}
	if len(bytes.TrimSpace(data)) == 0 {
		return found, nil
	}
	err := json.Unmarshal(data, &found.object)
	return found, err
}

// IsEmpty reports whether the object is absent.
func (k *KubeJson) IsEmpty() bool { return k.object == nil }

// GetResourceKey returns the key of an object that is there.
func GetResourceKey(k *KubeJson) kube.ResourceKey { return kube.GetResourceKey(k.object) }
