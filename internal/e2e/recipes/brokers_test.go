package recipes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

func TestNATS(t *testing.T) {
	server := must(natsserver.NewServer(&natsserver.Options{Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true}))
	go server.Start()
	if !server.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	conn := must(nats.Connect(server.ClientURL(), nats.ReconnectWait(10*time.Millisecond)))
	defer conn.Close()
	want(t, checkNATS(conn), "")
	server.Shutdown()
	server.WaitForShutdown()
	want(t, checkNATS(conn), "reconnecting")
}

func TestKafka(t *testing.T) {
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "orders")))
	client := must(kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...)))
	defer client.Close()
	want(t, checkKafka(client, "orders"), "")
	want(t, checkKafka(client, "nothing"), "UNKNOWN_TOPIC_OR_PARTITION")
	cluster.Close()
	if err := run(t, checkKafka(client, "orders")); err == nil {
		t.Error("a cluster that is gone passes")
	}
}

// The check of RabbitMQ, which needs Erlang, is only compiled.
var _ = checkRabbitMQ

func TestMongoDBThatIsNotThere(t *testing.T) {
	addr := rig.Addr(must(rig.Port(t.Context())))
	client := must(mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).SetServerSelectionTimeout(time.Second)))
	defer client.Disconnect(t.Context())
	want(t, checkMongoDB(client), "server selection")
}

func TestElasticsearch(t *testing.T) {
	status := "green"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"cluster_name":"shop","status":%q,"timed_out":false}`, status)
	}))
	defer server.Close()
	check := must(checkElasticsearch(server.URL))
	want(t, check, "")
	status = "red"
	want(t, check, "without a match")
}

func TestS3(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead || !strings.HasPrefix(r.URL.Path, "/orders") {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	client := must(minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4("shop", "secret", ""), Region: "eu-central-1",
	}))
	want(t, checkS3(client, "orders"), "")
	want(t, checkS3(client, "nothing"), "the bucket does not exist")
}
