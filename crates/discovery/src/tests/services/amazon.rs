//! Amazon's services.

use transport::client::{Secret, SigV4};

use super::{REFRESH, check, plain};
use crate::{Config, aws::Account, ec2, ecs, elasticache, lightsail, msk, rds};

fn account(endpoint: &str) -> Account {
    let sigv4 = SigV4 {
        region: "eu-west-1".to_owned(),
        access_key: "KEY".to_owned(),
        secret_key: Some(Secret::Inline("secret".to_owned())),
        ..SigV4::default()
    };
    Account { endpoint: endpoint.to_owned(), http: plain(), sigv4 }
}

#[tokio::test]
async fn ec2_gives_instances() {
    let instances = r#"<?xml version="1.0"?><DescribeInstancesResponse><reservationSet><item><ownerId>me</ownerId><instancesSet>
      <item><instanceId>i-1</instanceId><imageId>ami</imageId><instanceState><code>16</code><name>running</name></instanceState>
      <privateDnsName>ip-1</privateDnsName><dnsName/><instanceType>t3</instanceType>
      <placement><availabilityZone>eu-west-1a</availabilityZone></placement><subnetId>s1</subnetId><vpcId>v1</vpcId>
      <privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>1.2.3.4</ipAddress><architecture>x86_64</architecture>
      <tagSet><item><key>Na:me</key><value>web &amp; co</value></item></tagSet>
      <networkInterfaceSet><item><subnetId>s1</subnetId><ipv6AddressesSet><item><ipv6Address>fd00::1</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item></ipv6AddressesSet></item></networkInterfaceSet>
      </item><item><instanceId>i-2</instanceId></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"#;
    let config = ec2::Config {
        account: account("http://ec2/"),
        filters: Vec::new(),
        port: 80,
        refresh_interval: REFRESH,
    };
    check("ec2", Config::Ec2(config), "ec2:80", &[("/", instances)]).await;
}

#[tokio::test]
async fn lightsail_gives_instances() {
    let instances = r#"{"instances":[{"name":"n","supportCode":"s","location":{"availabilityZone":"eu-west-1a"},"blueprintId":"b",
      "bundleId":"u","privateIpAddress":"10.0.0.1","publicIpAddress":"1.2.3.4","ipv6Addresses":["fd00::1"],
      "state":{"name":"running"},"tags":[{"key":"k","value":"v"}]}]}"#;
    let config = lightsail::Config {
        account: account("http://lightsail/"),
        port: 80,
        refresh_interval: REFRESH,
    };
    check("lightsail", Config::Lightsail(config), "lightsail:80", &[("/", instances)]).await;
}

#[tokio::test]
async fn ecs_gives_tasks() {
    let cluster = r#"{"clusters":[{"clusterArn":"arn:c","clusterName":"prod","tags":[{"key":"team","value":"x"}]}]}"#;
    let services = r#"{"services":[{"serviceArn":"arn:s","serviceName":"web","clusterArn":"arn:c","status":"ACTIVE",
      "tags":[{"key":"tier","value":"front"}]}]}"#;
    let tasks = r#"{"tasks":[
      {"taskArn":"arn:t1","taskDefinitionArn":"arn:d:1","group":"service:web","launchType":"FARGATE","availabilityZone":"eu-west-1a",
       "desiredStatus":"RUNNING","lastStatus":"RUNNING","healthStatus":"HEALTHY","platformFamily":"Linux","platformVersion":"1.4.0",
       "attachments":[{"type":"ElasticNetworkInterface","details":[{"name":"subnetId","value":"s1"},
         {"name":"networkInterfaceId","value":"eni-1"},{"name":"privateIPv4Address","value":"10.0.0.1"}]}],
       "tags":[{"key":"a","value":"b"}]},
      {"taskArn":"arn:t2","taskDefinitionArn":"arn:d:1","group":"service:web","launchType":"EC2","availabilityZone":"eu-west-1b",
       "desiredStatus":"RUNNING","lastStatus":"RUNNING","healthStatus":"UNKNOWN","containerInstanceArn":"arn:ci","attachments":[]},
      {"taskArn":"arn:t3","group":"service:web","launchType":"EC2","lastStatus":"PENDING","attachments":[]}]}"#;
    let machines = r#"<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>
      <instanceType>t3</instanceType><privateIpAddress>10.0.0.9</privateIpAddress><ipAddress>1.2.3.4</ipAddress><subnetId>s2</subnetId>
      <tagSet><item><key>Name</key><value>host</value></item></tagSet></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"#;
    let interfaces = "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId>\
      <association><publicIp>5.6.7.8</publicIp></association></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>";
    let pairs = [
        ("/ .ListClusters", r#"{"clusterArns":["arn:c"]}"#),
        ("/ .DescribeClusters", cluster),
        ("/ .ListServices", r#"{"serviceArns":["arn:s"]}"#),
        ("/ .DescribeServices", services),
        ("/ .ListTasks", r#"{"taskArns":["arn:t1","arn:t2","arn:t3"]}"#),
        ("/ .DescribeTasks", tasks),
        (
            "/ .DescribeContainerInstances",
            r#"{"containerInstances":[{"containerInstanceArn":"arn:ci","ec2InstanceId":"i-1"}]}"#,
        ),
        ("/ Action=DescribeInstances", machines),
        ("/ Action=DescribeNetworkInterfaces", interfaces),
    ];
    // Machines are another service's, which has no address of its own in the settings.
    let config = ecs::Config {
        account: Account { http: super::cloud(), ..account("") },
        clusters: Vec::new(),
        port: 80,
        request_concurrency: 20,
        refresh_interval: REFRESH,
    };
    check("ecs", Config::Ecs(config), super::TLS, &pairs).await;
}

#[tokio::test]
async fn msk_gives_brokers_and_controllers() {
    let clusters = r#"{"clusterInfoList":[{"clusterArn":"arn:aws:kafka:c/1","clusterName":"k","clusterType":"PROVISIONED",
      "currentVersion":"K1","state":"ACTIVE","tags":{"a b":"c"},"provisioned":{
      "currentBrokerSoftwareInfo":{"kafkaVersion":"3.6.0","configurationArn":"arn:conf","configurationRevision":2},
      "openMonitoring":{"prometheus":{"jmxExporter":{"enabledInBroker":true},"nodeExporter":{"enabledInBroker":false}}}}}]}"#;
    let first = r#"{"nodeInfoList":[{"addedToClusterTime":"2024-05-06T07:08:09.123Z","instanceType":"m7g.large","nodeARN":"arn:n1",
      "nodeType":"BROKER","brokerNodeInfo":{"attachedENIId":"eni-1","brokerId":1.0,"clientSubnet":"s1","clientVpcIpAddress":"10.0.0.1",
      "endpoints":["b-1.k.example.com"]}}],"nextToken":"more/1"}"#;
    let second = r#"{"nodeInfoList":[{"addedToClusterTime":"2024-05-06T07:08:09.123Z","nodeARN":"arn:n2","nodeType":"CONTROLLER",
      "controllerNodeInfo":{"endpoints":["c-1.k.example.com","c-2.k.example.com"]}}]}"#;
    let nodes = "/v1/clusters/arn%3Aaws%3Akafka%3Ac%2F1/nodes?maxResults=100";
    let pairs = [
        ("/api/v2/clusters?clusterTypeFilter=PROVISIONED", clusters),
        (nodes, first),
        (&*format!("{nodes}&nextToken=more%2F1"), second),
    ];
    let config = msk::Config {
        account: account("http://kafka"),
        clusters: Vec::new(),
        port: 11001,
        request_concurrency: 10,
        refresh_interval: REFRESH,
    };
    check("msk", Config::Msk(config), "kafka:80", &pairs).await;
}

#[tokio::test]
async fn rds_gives_instances() {
    let clusters = "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>\
      <DBClusterArn>arn:c</DBClusterArn><DBClusterIdentifier>aurora</DBClusterIdentifier><Engine>aurora-mysql</Engine>\
      <ClusterCreateTime>2024-05-06T07:08:09.123Z</ClusterCreateTime><MultiAZ>true</MultiAZ><Port>3306</Port><DBSubnetGroup>sub</DBSubnetGroup>\
      <DBClusterMembers><DBClusterMember><DBInstanceIdentifier>one</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter></DBClusterMember>\
      <DBClusterMember><DBInstanceIdentifier>two</DBInstanceIdentifier><IsClusterWriter>false</IsClusterWriter></DBClusterMember></DBClusterMembers>\
      <TagList><Tag><Key>team</Key><Value>x</Value></Tag></TagList></DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>";
    let instance = |id: &str| {
        format!(
            "<DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier><DBInstanceArn>arn:{id}</DBInstanceArn>\
      <DBInstanceClass>db.r6g.large</DBInstanceClass><DBInstanceStatus>available</DBInstanceStatus><InstanceCreateTime>2024-05-06T07:08:09Z</InstanceCreateTime>\
      <Endpoint><Address>{id}.example.com</Address><Port>3306</Port><HostedZoneId>Z1</HostedZoneId></Endpoint>\
      <DBSubnetGroup><DBSubnetGroupName>sub</DBSubnetGroupName></DBSubnetGroup>\
      <TagList><Tag><Key>n</Key><Value>{id}</Value></Tag></TagList></DBInstance>"
        )
    };
    let page = |instances: &str, marker: &str| {
        format!(
            "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances>{instances}</DBInstances>\
      {marker}</DescribeDBInstancesResult></DescribeDBInstancesResponse>"
        )
    };
    let (first, second) =
        (page(&instance("one"), "<Marker>m1</Marker>"), page(&instance("two"), ""));
    let pairs = [
        ("/ Action=DescribeDBClusters", clusters),
        (
            "/ Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=arn%3Ac",
            &first,
        ),
        (
            "/ Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=arn%3Ac&MaxRecords=100&Marker=m1",
            &second,
        ),
    ];
    let config = rds::Config {
        account: account("http://rds"),
        clusters: Vec::new(),
        filters: Vec::new(),
        port: 9104,
        request_concurrency: 10,
        refresh_interval: REFRESH,
    };
    check("rds", Config::Rds(config), "rds:80", &pairs).await;
}

#[tokio::test]
async fn elasticache_gives_nodes_and_serverless_caches() {
    let caches = "<DescribeServerlessCachesResponse><DescribeServerlessCachesResult><ServerlessCaches><member><ARN>arn:s</ARN>\
      <ServerlessCacheName>less</ServerlessCacheName><CreateTime>2024-05-06T07:08:09.5Z</CreateTime><Engine>valkey</Engine><Status>available</Status>\
      <Endpoint><Address>less.example.com</Address><Port>6379</Port></Endpoint><SecurityGroupIds><SecurityGroupId>sg-1</SecurityGroupId></SecurityGroupIds>\
      <SubnetIds><SubnetId>s1</SubnetId><SubnetId>s2</SubnetId></SubnetIds>\
      <CacheUsageLimits><DataStorage><Maximum>10</Maximum><Unit>GB</Unit></DataStorage><ECPUPerSecond><Maximum>5000</Maximum></ECPUPerSecond></CacheUsageLimits>\
      </member></ServerlessCaches></DescribeServerlessCachesResult></DescribeServerlessCachesResponse>";
    let clusters = "<DescribeCacheClustersResponse><DescribeCacheClustersResult><CacheClusters><CacheCluster><ARN>arn:c</ARN>\
      <CacheClusterId>redis-1</CacheClusterId><CacheClusterStatus>available</CacheClusterStatus><Engine>redis</Engine><NumCacheNodes>1</NumCacheNodes>\
      <CacheParameterGroup><CacheParameterGroupName>default.redis7</CacheParameterGroupName></CacheParameterGroup>\
      <SecurityGroups><member><SecurityGroupId>sg-1</SecurityGroupId><Status>active</Status></member></SecurityGroups>\
      <LogDeliveryConfigurations><LogDeliveryConfiguration><LogType>slow-log</LogType><DestinationType>cloudwatch-logs</DestinationType>\
      <DestinationDetails><CloudWatchLogsDetails><LogGroup>lg</LogGroup></CloudWatchLogsDetails></DestinationDetails></LogDeliveryConfiguration></LogDeliveryConfigurations>\
      <PendingModifiedValues><CacheNodeIdsToRemove><CacheNodeId>0001</CacheNodeId><CacheNodeId>0002</CacheNodeId></CacheNodeIdsToRemove></PendingModifiedValues>\
      <CacheNodes><CacheNode><CacheNodeId>0001</CacheNodeId><CacheNodeStatus>available</CacheNodeStatus><CacheNodeCreateTime>2024-05-06T07:08:09Z</CacheNodeCreateTime>\
      <Endpoint><Address>n1.example.com</Address><Port>6379</Port></Endpoint></CacheNode></CacheNodes></CacheCluster></CacheClusters>\
      </DescribeCacheClustersResult></DescribeCacheClustersResponse>";
    let tags = "<ListTagsForResourceResponse><ListTagsForResourceResult><TagList><Tag><Key>team</Key><Value>x</Value></Tag></TagList>\
      </ListTagsForResourceResult></ListTagsForResourceResponse>";
    let pairs = [
        ("/ Action=DescribeServerlessCaches", caches),
        ("/ Action=DescribeCacheClusters", clusters),
        ("/ Action=ListTagsForResource", tags),
    ];
    let config = elasticache::Config {
        account: account("http://elasticache"),
        clusters: Vec::new(),
        request_concurrency: 10,
        refresh_interval: REFRESH,
    };
    check("elasticache", Config::Elasticache(config), "elasticache:80", &pairs).await;
}
