/* The limit of what a broker gives: takes messages, looks at nothing, acknowledges many at once.
 *
 *     consume PORT QUEUE MESSAGES PREFETCH BATCH
 *
 * Prints a line of JSON when the broker has taken the last acknowledgement, then waits to be killed, so that its processor time can be read. */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static void check(amqp_connection_state_t connection, const char *what) {
  amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  fprintf(stderr, "Cannot %s: reply type %d\n", what, reply.reply_type);
  exit(1);
}

static double now_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return now.tv_sec * 1e3 + now.tv_usec / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: consume PORT QUEUE MESSAGES PREFETCH BATCH\n");
    return 2;
  }
  const char *queue = argv[2];
  const long messages = atol(argv[3]), prefetch = atol(argv[4]), batch = atol(argv[5]);
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  if (socket == NULL || amqp_socket_open(socket, "127.0.0.1", atoi(argv[1])) != AMQP_STATUS_OK) {
    fprintf(stderr, "Cannot connect to port %s\n", argv[1]);
    return 1;
  }
  amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
  amqp_channel_open(connection, 1);
  check(connection, "log in");
  amqp_basic_qos(connection, 1, 0, (uint16_t)prefetch, 0);
  amqp_basic_consume(connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 1, amqp_empty_table);
  check(connection, "consume");
  unsigned long long bytes = 0;
  double from = 0;
  for (long count = 1; count <= messages; count++) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(connection);
    amqp_rpc_reply_t reply = amqp_consume_message(connection, &envelope, NULL, 0);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
      fprintf(stderr, "Cannot take message %ld\n", count);
      return 1;
    }
    if (count == 1) from = now_ms();
    bytes += envelope.message.body.len;
    if (count % batch == 0 || count == messages) amqp_basic_ack(connection, 1, envelope.delivery_tag, 1);
    amqp_destroy_envelope(&envelope);
  }
  /* An answer on the same channel says that the acknowledgement has come before it. */
  amqp_basic_qos(connection, 1, 0, (uint16_t)prefetch, 0);
  check(connection, "acknowledge");
  printf("{\"messages\":%ld,\"bytes\":%llu,\"from\":%.3f,\"at\":%.3f}\n", messages, bytes, from, now_ms());
  fflush(stdout);
  for (;;) pause();
}
