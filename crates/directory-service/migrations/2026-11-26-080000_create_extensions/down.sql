alter table companies drop column has_extensions;
drop table extensions;
