package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// writeKubeconfig writes a kubeconfig with everything in it, so that it can be moved; JSON is YAML too.
func writeKubeconfig(dir, name, url string, ca, user *Identity) (string, error) {
	key, err := os.ReadFile(user.keyFile)
	if err != nil {
		return "", err
	}
	type object = map[string]any
	text, err := json.MarshalIndent(object{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []object{{"name": "test", "cluster": object{
			"server":                     url,
			"certificate-authority-data": ca.crt(),
		}}},
		"users": []object{{"name": name, "user": object{
			"client-certificate-data": user.crt(),
			"client-key-data":         key,
		}}},
		"contexts":        []object{{"name": name, "context": object{"cluster": "test", "user": name}}},
		"current-context": name,
	}, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name+".kubeconfig")
	return path, os.WriteFile(path, append(text, '\n'), 0o600)
}
