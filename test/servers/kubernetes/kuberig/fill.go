// rig-fill: objects of every kind with their fields filled at random, as the API server would store them and as it would serve them: an oracle for tests.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apiserver"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

const filledRevision = "7"

// One line an object: `<apiVersion> <kind>`, the seed, the stored bytes in base64, the JSON; separated by tabs. Seed 0 fills every field.
func fillKinds() int {
	flags := flag.NewFlagSet("rig-fill", flag.ExitOnError)
	seeds := flags.Int64("seeds", 1, "objects of each kind")
	first := flags.Int64("first", 0, "the first seed")
	only := flags.String("kind", "", "only `<apiVersion> <kind>`")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return failed("rig-fill", err)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for _, kind := range filledKinds() {
		name := kind.gvk.GroupVersion().String() + " " + kind.gvk.Kind
		if *only != "" && *only != name {
			continue
		}
		for seed := *first; seed < *first+*seeds; seed++ {
			stored, served, err := kind.fill(seed)
			if err != nil {
				return failed("rig-fill", fmt.Errorf("%s, seed %d: %w", name, seed, err))
			}
			fmt.Fprintf(out, "%s\t%d\t%s\t%s\n", name, seed, base64.StdEncoding.EncodeToString(stored), served)
		}
	}
	return 0
}

type filledKind struct {
	scheme *runtime.Scheme
	gvk    schema.GroupVersionKind
}

// Everything with ObjectMeta in the schemes of the three servers that a kube-apiserver is.
func filledKinds() []filledKind {
	kinds := []filledKind{}
	for _, scheme := range []*runtime.Scheme{legacyscheme.Scheme, apiextensions.Scheme, aggregator.Scheme} {
		for gvk := range scheme.AllKnownTypes() {
			if gvk.Version == runtime.APIVersionInternal {
				continue
			}
			object, err := scheme.New(gvk)
			if _, ok := object.(metav1.Object); err == nil && ok {
				kinds = append(kinds, filledKind{scheme, gvk})
			}
		}
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].gvk.String() < kinds[j].gvk.String() })
	return kinds
}

func (kind filledKind) fill(seed int64) (stored []byte, served []byte, err error) {
	object, err := kind.scheme.New(kind.gvk)
	if err != nil {
		return nil, nil, err
	}
	f := &filler{rand: rand.New(rand.NewSource(seed*7919 + int64(len(kind.gvk.String())))), whole: seed == 0}
	f.value(reflect.ValueOf(object).Elem(), 0)
	object.GetObjectKind().SetGroupVersionKind(kind.gvk)
	object.(metav1.Object).SetResourceVersion("")
	if kind.scheme != legacyscheme.Scheme {
		return kind.fillJSON(object)
	}
	buffer := bytes.Buffer{}
	codec := protobuf.NewSerializer(kind.scheme, kind.scheme)
	if err := codec.Encode(object, &buffer); err != nil {
		return nil, nil, err
	}
	read, _, err := codec.Decode(buffer.Bytes(), nil, nil)
	if err != nil {
		return nil, nil, err
	}
	// The conversion to v1 does this (pkg/apis/apps/v1/conversion.go).
	if set, ok := read.(*appsv1.StatefulSet); ok {
		for i := range set.Spec.VolumeClaimTemplates {
			set.Spec.VolumeClaimTemplates[i].TypeMeta = metav1.TypeMeta{Kind: "PersistentVolumeClaim", APIVersion: "v1"}
		}
	}
	read.GetObjectKind().SetGroupVersionKind(kind.gvk)
	served, err = servedJSON(read)
	return buffer.Bytes(), served, err
}

// What the extension server and the aggregator store as JSON: a definition in v1beta1, and served in v1; an APIService in its version.
func (kind filledKind) fillJSON(object runtime.Object) (stored []byte, served []byte, err error) {
	codecs := serializer.NewCodecFactory(kind.scheme)
	version := kind.gvk.GroupVersion()
	servedVersion := version
	if kind.scheme == apiextensions.Scheme {
		version, servedVersion = apiextensionsv1beta1.SchemeGroupVersion, apiextensionsv1.SchemeGroupVersion
	}
	internal := schema.GroupVersion{Group: kind.gvk.Group, Version: runtime.APIVersionInternal}
	hub, err := kind.scheme.ConvertToVersion(object, internal)
	if err != nil {
		return nil, nil, err
	}
	// Once more, from JSON as requests are, so that it is as such objects are when they are stored.
	for range 2 {
		if stored, err = runtime.Encode(codecs.LegacyCodec(version), hub); err != nil {
			return nil, nil, err
		}
		if hub, err = runtime.Decode(codecs.UniversalDecoder(internal), stored); err != nil {
			return nil, nil, err
		}
	}
	converted, err := kind.scheme.ConvertToVersion(hub, servedVersion)
	if err != nil {
		return nil, nil, err
	}
	served, err = servedJSON(converted)
	return bytes.TrimSpace(stored), served, err
}

func servedJSON(object runtime.Object) ([]byte, error) {
	object.(metav1.Object).SetResourceVersion(filledRevision)
	buffer := bytes.Buffer{}
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object)
	return bytes.TrimSpace(buffer.Bytes()), err
}

type filler struct {
	rand  *rand.Rand
	whole bool
	// The types around the value: a schema holds schemas.
	around []reflect.Type
}

const (
	fillDepth    = 24
	sameTypesMax = 2
)

var fillTexts = []string{
	"", "a", "web-0", "ü 世界 😀", `"quoted" \ and/or`, "<b>&amp;</b>", "line\nand\ttab\r", "\x01\x1f\x7f", "\u2028\u2029", "10", "9",
	strings.Repeat("long text ", 40), strings.Repeat("längerer Text ", 40),
}
var fillKeys = []string{"", "a", "b/c.d-e_f", "ü", "1", "10", "9", "09", "4294967295", "-1", "__proto__", "constructor", "Z", "\U0001F600", "\uFFFD"}
var fillQuantities = []string{"0", "1", "100m", "64Mi", "0.5Gi", "1e3", "-5", "1.5", "123456789012345678", "12345678901234567890123", "1n", "3E"}
var fillTimes = []int64{0, 1, -1, 1700000000, 951782400, 253402300799, -62135596800, -2208988800}
var fillRaw = []string{
	`{}`, `null`, `{"a":1,"b":[1,2.5,null,"x"]}`, `{"b":1,"a":{"10":1,"9":2}}`, `{"big":9007199254740993,"e":1e21,"z":1.0,"m":-0}`, `[]`, `"text"`, `12345678901234567890`,
	`{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"k:{\"name\":\"a\"}":{".":{}}}}`, `{"__proto__":{"x":1}}`, `{"t":"<&>"}`,
}

func (f *filler) pick(list []string) string { return list[f.rand.Intn(len(list))] }
func (f *filler) often() bool               { return f.whole || f.rand.Intn(10) < 6 }

func (f *filler) value(v reflect.Value, depth int) {
	if f.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if f.often() && f.mayNest(v.Type().Elem(), depth) {
			v.Set(reflect.New(v.Type().Elem()))
			f.value(v.Elem(), depth+1)
		}
	case reflect.Struct:
		f.around = append(f.around, v.Type())
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
				f.value(v.Field(i), depth+1)
			}
		}
		f.around = f.around[:len(f.around)-1]
	case reflect.Slice:
		f.list(v, depth)
	case reflect.Map:
		f.entries(v, depth)
	case reflect.String:
		text := f.pick(fillTexts)
		for f.whole && text == "" {
			text = f.pick(fillTexts)
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(f.whole || f.rand.Intn(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.integer(v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.integer(v.Type().Bits())) >> (65 - v.Type().Bits()%65))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0.5, 1, -3, 1e21, 1e-7, 123456789.125}[f.rand.Intn(6)])
	default:
		panic(fmt.Sprintf("rig-fill: a field of type %v", v.Type()))
	}
}

func (f *filler) mayNest(t reflect.Type, depth int) bool {
	same := 0
	for _, outer := range f.around {
		if outer == t {
			same++
		}
	}
	return depth < fillDepth && same < sameTypesMax
}

func (f *filler) list(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		data := make([]byte, f.rand.Intn(6))
		f.rand.Read(data)
		if f.often() {
			v.SetBytes(data)
		}
		return
	}
	if !f.mayNest(v.Type().Elem(), depth) || !f.often() {
		return
	}
	length := 1 + f.rand.Intn(2)
	if !f.whole {
		length = f.rand.Intn(3)
	}
	v.Set(reflect.MakeSlice(v.Type(), length, length))
	for i := range length {
		f.value(v.Index(i), depth+1)
	}
}

func (f *filler) entries(v reflect.Value, depth int) {
	if !f.mayNest(v.Type().Elem(), depth) || !f.often() {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range 1 + f.rand.Intn(5) {
		item := reflect.New(v.Type().Elem()).Elem()
		f.value(item, depth+1)
		v.SetMapIndex(reflect.ValueOf(f.pick(fillKeys)).Convert(v.Type().Key()), item)
	}
}

func (f *filler) integer(bits int) int64 {
	switch f.rand.Intn(8) {
	case 0:
		if !f.whole {
			return 0
		}
		return 1
	case 1:
		return -1
	case 2:
		return math.MaxInt64 >> (64 - bits)
	case 3:
		return math.MinInt64 >> (64 - bits)
	case 4:
		return (1<<53 + 1) >> (64 - bits)
	default:
		return 1 + f.rand.Int63()>>f.rand.Intn(63)>>(64-bits)
	}
}

// The types whose JSON is not their fields, and the defaults that are filled in whenever a stored object is read.
func (f *filler) special(v reflect.Value) bool {
	switch field := v.Addr().Interface().(type) {
	case *metav1.TypeMeta:
	case *metav1.Time:
		if f.often() {
			field.Time = time.Unix(fillTimes[f.rand.Intn(len(fillTimes))], 0)
		}
	case *metav1.MicroTime:
		if f.often() {
			field.Time = time.Unix(fillTimes[f.rand.Intn(len(fillTimes))], f.rand.Int63n(1e9))
		}
	case *metav1.Duration:
		field.Duration = time.Duration(f.integer(64) >> f.rand.Intn(40))
	case *resource.Quantity:
		if f.often() {
			*field = resource.MustParse(f.pick(fillQuantities))
		}
	case *intstr.IntOrString:
		if f.rand.Intn(2) == 0 {
			*field = intstr.FromString(f.pick(fillTexts))
		} else {
			*field = intstr.FromInt32(int32(f.integer(32)))
		}
	case *metav1.FieldsV1:
		field.SetRawString(f.pick(fillRaw))
	case *runtime.RawExtension:
		if f.often() {
			field.Raw = []byte(f.pick(fillRaw))
		}
	case *apiextensionsv1.JSON:
		field.Raw = []byte(f.pick(fillRaw))
	case *apiextensionsv1beta1.JSON:
		field.Raw = []byte(f.pick(fillRaw))
	case *corev1.PersistentVolumeClaimPhase:
		*field = corev1.ClaimLost
	case *corev1.PersistentVolumePhase:
		*field = corev1.VolumeFailed
	case *corev1.NamespacePhase:
		*field = corev1.NamespaceTerminating
	default:
		return false
	}
	return true
}
