package recipes

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
)

func checkNATS(conn *nats.Conn) func(context.Context) error {
	return func(ctx context.Context) error {
		if !conn.IsConnected() {
			return checker.Failed(strings.ToLower(conn.Status().String()), conn.LastError())
		}
		return conn.FlushWithContext(ctx) // a round trip
	}
}

func checkKafka(client *kgo.Client, topic string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := client.Ping(ctx); err != nil { // the client keeps what it knows of topics
			return err
		}
		topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		topics.EachPartition(func(p kadm.PartitionDetail) { err = errors.Join(err, p.Err) }) // such as no leader
		return errors.Join(topics.Error(), err)
	}
}

func checkRabbitMQ(conn *amqp.Connection, queue string) func(context.Context) error {
	return func(ctx context.Context) error {
		channel, err := conn.Channel()
		if err != nil {
			return err
		}
		defer channel.Close()
		q, err := channel.QueueDeclarePassive(queue, true, false, false, false, nil)
		if err != nil {
			return err
		}
		checker.SetValue(ctx, "messages", float64(q.Messages), "")
		if q.Consumers == 0 {
			return checker.Degraded("the queue has no consumer", nil)
		}
		return nil
	}
}

func checkMongoDB(client *mongo.Client) func(context.Context) error {
	return func(ctx context.Context) error { return client.Ping(ctx, readpref.Primary()) }
}

func checkElasticsearch(url string) (func(context.Context) error, error) {
	return dependency.HTTP(dependency.HTTPConfig{
		URL: url + "/_cluster/health?timeout=1s", Match: regexp.MustCompile(`"status":"(green|yellow)"`),
	})
}

func checkS3(client *minio.Client, bucket string) func(context.Context) error {
	return func(ctx context.Context) error {
		found, err := client.BucketExists(ctx, bucket)
		if err == nil && !found {
			return checker.Failed("the bucket does not exist", nil)
		}
		return err
	}
}
