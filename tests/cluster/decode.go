package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	customv1beta1 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta1"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalv1beta1 "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
)

// decode reads a list of metric values from stdin, in JSON or protobuf and with the code that the HPA controller has for
// it, so many times as its argument says, and prints it as JSON.
func decode(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("`decode` takes one argument, how often it is read")
	}
	times, err := strconv.Atoi(arguments[0])
	if err != nil || times < 1 {
		return fmt.Errorf("`%s` is not how often something is read: give a whole number above 0", arguments[0])
	}
	scheme := runtime.NewScheme()
	err = errors.Join(
		customv1beta1.AddToScheme(scheme), customv1beta2.AddToScheme(scheme), externalv1beta1.AddToScheme(scheme))
	if err != nil {
		return err
	}
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var list runtime.Object
	for range times {
		if list, _, err = decoder.Decode(body, nil, nil); err != nil {
			return err
		}
	}
	kinds, _, err := scheme.ObjectKinds(list)
	if err != nil {
		return err
	}
	list.GetObjectKind().SetGroupVersionKind(kinds[0])
	return json.NewEncoder(os.Stdout).Encode(list)
}
