// Installs Apache Kafka from Maven Central: Debian has no package of it.
import { bounded } from "../bounded.ts";
import { installOnce } from "../install_once.ts";
import { findProgram, installMissing, progress, type Requirement } from "../packages.ts";

/** The release that the tests run. */
export const RELEASE = "4.1.1";
/** The environment variable that names another folder, where there is more room. */
export const FOLDER_VARIABLE = "OSS_WATCHER_KAFKA";
const FOLDER = "/var/cache/oss-watcher/kafka";
const LIMIT_MINUTES = 10;

const JAVA: Requirement = { program: "java", package: "openjdk-17-jre-headless" };
const MAVEN: Requirement = { program: "mvn", package: "maven" };

/** Where Kafka is installed. */
export interface KafkaPrograms {
  readonly java: string;
  /** The folder of its archives. */
  readonly archives: string;
}

/**
 * Installs what is missing: some 20 seconds where Java and Maven are there.
 *
 * @throws {Error} when it cannot be installed here.
 */
export async function installKafka(): Promise<KafkaPrograms> {
  await installMissing([JAVA, MAVEN]);
  const { path } = await installOnce({ variable: FOLDER_VARIABLE, folder: FOLDER, name: RELEASE, make: fetchArchives });
  return { java: findProgram(JAVA)!, archives: path };
}

async function fetchArchives(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  progress(`Installing Kafka ${RELEASE} in ${folder} …`);
  await Deno.writeTextFile(`${folder}/pom.xml`, POM);
  const args = ["-q", "-B", "-f", `${folder}/pom.xml`, "dependency:copy-dependencies", `-DoutputDirectory=${folder}`];
  await bounded({ program: findProgram(MAVEN)!, args }, LIMIT_MINUTES);
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>oss-watcher</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${RELEASE}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${RELEASE}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;
