"""Closed classes of words that the extraction of facts needs: relatives, callings, places to live, names that are none."""

from collections.abc import Mapping
from typing import Final

from clawactors.memory.text.thesaurus import CONCEPTS

__all__ = [
    "ABSTRACT", "ATTRIBUTES", "CONDITIONS", "DIETS", "DRINKS", "DWELLING", "FIELDS", "HAN_ATTRIBUTES", "HAN_NO_NAME", "HAN_RELATIONS",
    "LANGUAGES", "NO_NAME", "ORIGINS", "OWNED", "PETS", "PRODUCTS", "PROFESSIONS", "RELATIONS", "WORKPLACE",
]  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(word.replace("_", " ") for word in text.split())


def _pairs(text: str) -> dict[str, str]:
    """`predicate: words` entries, separated by semicolons, as word → predicate."""
    entries = (entry.split(":") for entry in text.split(";") if entry.strip())
    return {word.replace("_", " "): name.strip() for name, words in entries for word in words.split()}


RELATIONS: Final = _pairs("""
spouse: wife husband spouse partner; fiance: fiance fiancee fiancé fiancée girlfriend boyfriend;
boss: boss manager supervisor; mother: mother mum mom; father: father dad; sister: sister twin_sister;
brother: brother twin_brother; son: son; daughter: daughter; grandmother: grandmother grandma;
grandfather: grandfather grandpa; aunt: aunt; uncle: uncle; cousin: cousin; niece: niece; nephew: nephew;
friend: friend best_friend; neighbour: neighbour neighbor; flatmate: flatmate roommate housemate;
colleague: colleague coworker co-worker teammate; landlord: landlord landlady; doctor: doctor gp; dentist: dentist;
therapist: therapist; teacher: teacher tutor; coach: coach trainer; advisor: advisor adviser mentor;
assistant: assistant intern; dog: dog puppy; cat: cat kitten; horse: horse; hamster: hamster; parrot: parrot;
rabbit: rabbit
""")
"""The English word of a relation and its predicate."""

HAN_RELATIONS: Final = _pairs("""
spouse: 妻子 丈夫 老婆 老公 太太 爱人 先生 媳妇; fiance: 未婚妻 未婚夫 女朋友 男朋友 女友 男友;
boss: 老板 领导 上司 经理 主管; mother: 妈妈 母亲 妈; father: 爸爸 父亲 爸; sister: 姐姐 妹妹; brother: 哥哥 弟弟;
son: 儿子; daughter: 女儿; grandmother: 奶奶 外婆 姥姥; grandfather: 爷爷 外公 姥爷; aunt: 阿姨 姑姑 姨妈 舅妈;
uncle: 叔叔 舅舅 伯伯; cousin: 表哥 表弟 表姐 表妹 堂哥 堂弟 堂姐 堂妹; friend: 朋友 好友 闺蜜; neighbour: 邻居;
flatmate: 室友; colleague: 同事; landlord: 房东; doctor: 医生; dentist: 牙医; teacher: 老师; coach: 教练; advisor: 导师;
assistant: 助理 助手; dog: 狗 小狗; cat: 猫 小猫
""")
"""The Chinese word of a relation and its predicate."""

ATTRIBUTES: Final = _pairs("""
is called: name full_name real_name; is also called: english_name chinese_name nickname pen_name stage_name handle
alias screen_name; has birthday: birthday; works as: job profession occupation job_title; works at: employer company;
email: email e-mail email_address e-mail_address; phone: phone phone_number mobile mobile_number telephone_number number;
address: address home_address; hometown: hometown home_town; blood type: blood_type blood_group; shoe size: shoe_size;
height: height; weight: weight; time zone: time_zone timezone; user name: username user_name login;
native language: native_language mother_tongue first_language; nationality: nationality; age: age;
major: major; licence plate: licence_plate license_plate plate_number; team: team; department: department;
office: office desk; star sign: star_sign; diet: diet; emergency contact: emergency_contact; size: size clothes_size
""")
"""What a person has one of at a time, and its predicate."""

HAN_ATTRIBUTES: Final = _pairs("""
is called: 名字 全名 真名 姓名; is also called: 英文名 中文名 外号 绰号 小名 昵称 网名 笔名 艺名;
has birthday: 生日; works as: 职业 职位 工作; email: 邮箱 电子邮箱 邮件地址; phone: 电话 手机号 手机 电话号码 手机号码;
address: 地址 住址; hometown: 老家 家乡 籍贯; blood type: 血型; shoe size: 鞋码; height: 身高; weight: 体重;
time zone: 时区; user name: 用户名 账号; native language: 母语; nationality: 国籍; major: 专业; licence plate: 车牌号 车牌;
department: 部门; star sign: 星座; works at: 公司 单位
""")
"""The same in Chinese."""

PROFESSIONS: Final = frozenset(word.replace("_", " ") for word in CONCEPTS["profession"]) | _words("""
administrator advisor agronomist analyst anaesthetist anthropologist archaeologist architect archivist assistant
astronomer athlete attorney auditor babysitter barber barista bartender biologist blacksmith bookkeeper botanist
broker builder butcher buyer caretaker carer cashier ceo chemist choreographer cio clerk coach coder comedian composer
conductor consultant controller coordinator copywriter cto curator cyclist dancer dean dermatologist detective
dietician director dispatcher diver drummer economist editor educator electrician estate_agent fashion_designer
film_maker filmmaker firefighter fitter florist founder freelancer game_developer gardener geologist glazier goldsmith
guide guitarist hairdresser historian illustrator inspector intern interpreter investor janitor jeweller
landscape_gardener lecturer lifeguard locksmith logistician maid manager marketer masseur mathematician mason
mediator meteorologist midwife miner model neurologist notary nutritionist optician optometrist painter paralegal
paramedic pastor pastry_chef pediatrician paediatrician pharmacist philosopher physician physicist physiotherapist
pianist poet politician porter postdoc postman potter priest producer product_manager project_manager psychiatrist
psychologist publisher radiologist realtor receptionist recruiter referee reporter researcher retiree roofer sailor
salesman salesperson saleswoman scrum_master sculptor seamstress server shepherd shop_assistant singer
social_worker sociologist software_architect statistician steward stewardess stonemason student surgeon surveyor
tailor tax_advisor team_lead tech_lead technician tester therapist tiler trader train_driver trainee trainer tutor
tour_guide typist undertaker upholsterer veterinarian veterinary vicar videographer violinist waitress
warehouse_worker weaver web_developer welder winemaker worker zoologist head_chef
产品经理 项目经理 经理 总监 律师 建筑师 药剂师 厨师长 教练 导游 编辑 翻译 研究员 博士后 研究生 大学生 学生 实习生 销售 主管 电工 焊工 裁缝
理发师 演员 歌手 音乐家 插画师 摄像师 咨询师 心理咨询师 分析师 数据分析师 测试工程师 架构师 运维 会计师 审计师 公务员 消防员 军人 飞行员 空姐
牙医 兽医 外科医生 儿科医生 护士长 助产士 图书管理员 幼师 班主任 讲师 副教授 校长 店长 收银员 快递员 外卖员 出租车司机 花店老板 面包师 咖啡师
调酒师 健身教练 瑜伽老师 舞蹈老师 主持人 导演 编剧 诗人 化学家 物理学家 数学家 生物学家 考古学家 经济学家 创始人 首席执行官 首席技术官
""")
"""Callings in both languages; a fact needs one, so that «I am a bit late» is none."""

DWELLING: Final = _words("""
house flat apartment village town city suburb suburbs countryside farm cottage studio dorm dormitory north south east
west centre center area neighbourhood neighborhood district mountains island street building houseboat caravan van
bungalow castle cabin loft villa condo townhouse hamlet valley quarter commune attic basement trailer
""")
WORKPLACE: Final = _words("""
company hospital school bank startup start-up university college bakery restaurant shop store factory hotel office lab
laboratory clinic agency firm studio farm library museum ministry airport supermarket pharmacy theatre cafe café bar
garage workshop brewery winery newspaper magazine publisher kindergarten nursery council charity ngo consultancy
institute observatory zoo gym salon practice court embassy station port warehouse mill plant foundation bookshop
""")
FIELDS: Final = _words("""
marketing sales finance it hr healthcare education retail construction tourism logistics insurance banking advertising
publishing journalism law medicine research accounting consulting hospitality agriculture security procurement
engineering design robotics biotech pharma software media fashion politics
""")
ABSTRACT: Final = _words("""
fear hope peace denial harmony sin poverty luxury style pain exile terror darkness chaos uncertainty dread comfort past
present moment future bubble dream dreams head shadow shadows world society times time hell heaven silence limbo
""")
"""What one can «live in» without living anywhere."""

ORIGINS: Final = _words("""
american argentine australian austrian belgian brazilian british bulgarian canadian chilean chinese colombian croatian
czech danish dutch egyptian english estonian finnish french german greek hungarian icelandic indian indonesian iranian
irish israeli italian japanese kenyan korean latvian lithuanian mexican moroccan nigerian norwegian pakistani peruvian
polish portuguese romanian russian scottish serbian slovak slovenian spanish swedish swiss taiwanese thai turkish
ukrainian vietnamese welsh catholic jewish muslim hindu buddhist protestant european asian african
""")
LANGUAGES: Final = ORIGINS | _words("""
mandarin cantonese arabic hebrew hindi tamil urdu persian farsi swahili latin catalan basque malay tagalog esperanto
中文 汉语 普通话 英语 英文 法语 德语 日语 韩语 俄语 西班牙语 葡萄牙语 意大利语 阿拉伯语 粤语 泰语 越南语 闽南语 上海话
""")
DRINKS: Final = _words("""
tea coffee water milk juice wine beer soda cola coke lemonade espresso decaf matcha cocoa kombucha whisky alcohol
茶 红茶 绿茶 乌龙茶 普洱茶 普洱 花茶 奶茶 咖啡 牛奶 豆浆 果汁 可乐 啤酒 白酒 红酒 酒 水 白开水 汽水 酸奶 抹茶 茉莉花茶
""")
DIETS: Final = _words("vegetarian vegan pescatarian gluten-free keto paleo kosher halal teetotal")
OWNED: Final = _words("""
dog dogs puppy cat cats kitten horse parrot hamster rabbit rabbits turtle goldfish snake ferret chickens goat bee bees
son sons daughter daughters child children kid kids brother brothers sister sisters twins twin grandson granddaughter
car bike bicycle motorbike motorcycle boat sailboat van scooter piano garden greenhouse house flat apartment cabin
cottage farm allotment telescope camera guitar violin cello drone laptop
""")
"""What «I have a …» makes a fact of; most else («a meeting», «a question») passes."""

CONDITIONS: Final = _words("""
diabetes asthma epilepsy migraines migraine adhd arthritis eczema psoriasis anemia anaemia celiac_disease coeliac_disease
high_blood_pressure hypertension tinnitus insomnia dyslexia hay_fever lupus gout 糖尿病 高血压 哮喘 癫痫 偏头痛 鼻炎 痛风
胃炎 关节炎 心脏病 湿疹 失眠症 抑郁症 颈椎病 贫血
""")
PETS: Final = frozenset(("dog", "cat", "horse", "hamster", "parrot", "rabbit"))
PRODUCTS: Final = _words("""
ansible asana aws azure bitbucket blender chrome cloudflare confluence css datadog debian discord django docker
elasticsearch emacs excel express fedora figma firebase firefox flask gcp git github gitlab go golang grafana gradle
graphql haskell helm heroku html http ipv6 java javascript jenkins jira kafka keycloak kotlin kubernetes k8s lambda
laravel linear linux lua macos mariadb maven mongodb mypy mysql nats neovim nextcloud nginx nixos node.js nodejs notion
numpy okta openshift oracle pandas perl php podman poetry postgres postgresql powershell prometheus pycharm pytest
python pytorch rabbitmq rails react redis ruby ruff rust s3 salesforce sap scala sentry slack spark splunk sqlite svelte
swift teams tensorflow terraform trello typescript ubuntu uv vagrant vercel vim vite vscode vue wayland windows
wordpress xcode yarn zabbix zoom zsh
""")
"""Programs and platforms that one «moves to» without moving house."""

PRODUCT_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "cloud; cloud provider; cloud platform; hosting provider; hosting; 云; 云服务商; 云平台; 云厂商; 云服务": _words(
        "aws gcp azure hetzner digitalocean ovh linode vultr heroku cloudflare vercel 阿里云 腾讯云 华为云 谷歌云 亚马逊云"
    ),
    "database; db; main database; relational database; 数据库": _words(
        "postgres postgresql mysql mariadb mongodb sqlite oracle elasticsearch cockroachdb dynamodb firebase"
    ),
    "message broker; message queue; queue; broker; 消息队列; 消息中间件": _words(
        "kafka nats rabbitmq redis pulsar sqs"
    ),
    "ci; ci system; ci server; build system; build server; 持续集成": _words(
        "jenkins gitlab circleci buildkite travis"
    ),
    "chat; chat tool; team chat; messenger; 聊天工具": _words("slack teams discord zoom mattermost 钉钉 飞书 企业微信"),
    "editor; ide; code editor; text editor; 编辑器": _words("vim neovim emacs vscode pycharm xcode zed helix"),
    "issue tracker; bug tracker; ticket system; 工单系统": _words("jira linear trello asana github gitlab"),
    "monitoring; monitoring system; monitoring tool; 监控; 监控系统": _words(
        "prometheus grafana datadog zabbix sentry splunk"
    ),
    "package manager; 包管理器": _words("poetry uv pip conda yarn npm pnpm maven gradle"),
    "web framework; framework; frontend framework; 框架; 前端框架": _words(
        "django flask fastapi rails laravel express react vue svelte angular"
    ),
}
"""What kinds of products are called, with some of each: who switches to one has no other of that kind."""

EMPLOYERS: Final = _words("""
阿里 阿里巴巴 腾讯 字节 字节跳动 百度 华为 美团 京东 拼多多 网易 小米 滴滴 微软 谷歌 苹果 亚马逊 英特尔 英伟达 特斯拉
比亚迪 蚂蚁 蚂蚁集团 携程 搜狐 联想 中兴 大疆 蔚来 理想汽车 小鹏 商汤 旷视 顺丰 脸书 三星 索尼 高通 思科 甲骨文
""")
"""Names of companies: 现在在拼多多 tells where somebody works, 现在在杭州 does not."""

NO_NAME: Final = _words("""
i we you he she it they this that these those there here what who which when where why how whose everyone everybody
someone somebody nobody anyone anybody everything something nothing people others another both all some most many few
none one the a an my your his her its our their yesterday today tomorrow tonight now then monday tuesday wednesday
thursday friday saturday sunday january february october november december spring summer autumn winter
yes no not never maybe perhaps also still just only even and or but so if because since after before until although
though while unless please thanks hello hi hey dear well actually recently lately currently finally sometimes often
usually always once again let let's don't do does did is are was were am be been have has had can could should would
note remember correction update news working living moving being having everywhere nowhere apparently
""")
"""Words that begin with a capital letter at the head of a sentence and name nobody."""

HAN_NO_NAME: Final = tuple(
    """公司 大家 有人 别人 人们 我们 他们 她们 咱们 你们 自己 什么 项目 团队 会议 服务器 系统 今天 昨天 明天 前天 现在 目前 最近 因为 所以 但是 如果 虽然 很多
 这里 那里 学校 医院 数据 代码 程序 版本 问题 部门 客户 用户 孩子 老人 女人 男人 朋友 同事 老师 同学 一个 一些 每天 上周 下周 去年 今年 明年 据说 听说
 城市 地方 东西 时间 办公室 机器 节点 任务 电影 小说 故事 主角 女主 男主 主人公 人物 角色""".split()
)
