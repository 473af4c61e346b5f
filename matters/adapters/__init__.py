"""The departments and the file store, one file for each, built by the wiring.

Listed here by hand:

- `public_security`: takes residence permit cases (`PublicSecurity`) and answers about households (`Households`);
- `human_resources`: confirms pensions over SOAP (`PensionDesk`) and answers about insurance (`Insurance`);
- `education`: takes dossiers (`Admissions`) and answers about degrees (`Degrees`);
- `real_estate`: takes dossiers (`RealEstate`) and answers about residences (`Residences`);
- `department_desk`: takes dossiers for every department without a system of its own for a matter (`DepartmentDesk`);
- `taxation`: takes dossiers as tickets and is asked how they stand (`Taxation`);
- `notary`: takes dossiers as files in a folder (`Notary`);
- `civil_affairs`: takes dossiers over SOAP and knows none again (`CivilAffairs`);
- `health`: takes dossiers as sealed JSON (`Health`);
- `disabled_persons`: takes dossiers as JSON that both sides sign with SM2 (`DisabledPersons`);
- `housing_fund`: takes dossiers over the sharing interface and is asked how they stand (`HousingFund`);
- `folder`: keeps attachments in a folder (`Folder`).
"""
