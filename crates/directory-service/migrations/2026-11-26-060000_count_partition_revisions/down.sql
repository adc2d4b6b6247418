alter table partitions drop column revision;
