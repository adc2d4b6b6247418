drop table dead_letters, outbox, partitions, provisioning_log, users, companies;
