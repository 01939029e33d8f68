"""Everyday words that mean nearly the same or belong together, in English and Chinese, one concept an entry.

A question seldom uses the words of its answer. Without a model, this list is what leads from «profession» to «nurse»,
from «purchase» to «bought» and from 职业 to 护士. A word may stand in several entries; two English words joined by `_`
are matched as a pair. An entry's further lines are indented.
"""

import re

__all__ = ["CONCEPTS"]

_ENTRIES = """
family: family relative relatives kin household 家人 亲人 亲戚 家庭 一家
parent: parent parents mother father mum mom mama dad daddy papa stepmother stepfather 父母 爸爸 妈妈 母亲 父亲 爸
    妈 爹 娘 双亲 家长
child: child kid kids son daughter baby toddler boy girl twin twins teenager niece nephew 孩子 儿子 女儿 小孩 宝宝
    婴儿 男孩 女孩 侄子 外甥 儿女
grandparent: grandparent grandmother grandma granny grandfather grandpa grandson granddaughter 爷爷 奶奶 外公 外婆
    姥姥 姥爷 孙子 孙女 祖父 祖母
sibling: sibling brother sister bro sis cousin aunt uncle 兄弟 姐妹 哥哥 弟弟 姐姐 妹妹 姐 表弟 表哥 叔叔 阿姨 姨父
    舅舅 姑姑
spouse: spouse husband wife partner fiance fiancee girlfriend boyfriend couple lover ex 丈夫 妻子 老公 老婆 太太
    爱人 对象 女友 男友 伴侣 老伴 师母 情侣
wedding: wedding marry marriage married bride groom engagement engaged propose proposal honeymoon ceremony 婚礼 结婚
    婚宴 喜酒 酒席 订婚 求婚 新娘 新郎 蜜月
romance: date dating romance relationship seeing crush fall_love kiss 恋爱 谈恋爱 约会 爱上 感情 表白
separation: divorce divorced separate separated breakup split 离婚 分手 分开 分居
birth: birth born pregnant pregnancy newborn delivery midwife due 出生 生日 怀孕 生孩子 满月 分娩 诞生
birthday: birthday anniversary age old born turn turned 生日 周年 纪念日 年龄 岁
death: death die died dead passed_away funeral grave grief mourn buried late widow 去世 死 走了 过世 逝世 葬礼 丧 坟
friend: friend buddy mate pal companion friendship 朋友 好友 伙伴 同伴 闺蜜 哥们
neighbour: neighbour neighbor neighbourhood next_door downstairs upstairs 邻居 隔壁 楼下 楼上 街坊
colleague: colleague coworker boss manager supervisor advisor mentor chief team crew staff employee department
    leader 同事 老板 领导 主管 经理 上司 员工 导师 团队 馆长 校长 手下
job: job work profession occupation career employment living position post role vocation trade employed 工作 职业
    职位 岗位 谋生 从事 事业 行业 专业 编制 上班
profession: teacher nurse doctor dentist orthodontist engineer programmer developer lawyer judge chef cook carpenter
    plumber electrician driver farmer fisherman pilot policeman officer soldier scientist professor journalist
    writer artist designer accountant secretary waiter baker vet librarian photographer musician actor mechanic
    cleaner 老师 护士 医生 工程师 程序员 律师 法官 厨师 木工 木匠 司机 农民 渔民 警察 科学家 教授 记者 作家 画家
    设计师 会计 服务员 邮递员 摄影师 师傅 工匠 保安 翻译
employer: company firm employer business corporation office enterprise startup agency shop store 公司 单位 企业 雇主
    老板 报社 机构 商店
salary: salary wage pay income earn earning payroll raise bonus paid 工资 薪水 收入 挣 赚 奖金 月薪 加薪 发工资 净赚
    报酬
quit: quit resign resignation leave left notice fired lay_off layoff redundancy redundant retire retired retirement
    package severance step_down 辞职 离职 裁员 退休 解雇 下岗 辞了 赔偿 补偿
hire: hire hired recruit recruited apply application interview offer offered promotion promoted appoint appointed
    head 招聘 招 应聘 面试 录用 升职 晋升 提拔 申请 聘
apprentice: apprentice trainee intern student assistant pupil 学徒 徒弟 实习 助手 学生 弟子
school: school college university campus kindergarten academy class classroom lesson course 学校 大学 中学 小学
    幼儿园 班 课 学院 课程 上课
exam: exam test grade mark score pass graduate graduation admission admitted enrol 考试 考上 考 成绩 分数 录取 毕业
    作文 满分
degree: degree phd doctorate master bachelor thesis dissertation major diploma 博士 研究生 硕士 本科 学位 论文 专业
    文凭 题目 读博
study: study learn learning research researching investigate practise practice train training taught teach teaching
    tutor tutoring lecture 学习 学 研究 调查 练习 培训 教 辅导 补课 讲课 补习 支教
paper: paper article journal publication publish published manuscript submit submitted reviewer referee review
    author coauthor 论文 文章 发表 期刊 投稿 审稿 接收 作者
subject: subject topic theme field discipline history mathematics maths physics chemistry biology literature
    statistics 主题 题材 方向 领域 学科 历史 数学 物理 化学 生物 语文 关于
money: money cash dollar euro pound yuan cent cost price fee fund sum amount expensive cheap afford worth thousand
    million grand 钱 元 块 块钱 万 费用 价格 价钱 多少钱 成本 欧元 美元 贵 便宜 资金 经费 现金 金额
buy: buy purchase order ordered acquire shop shopping customer client buyer paid 买 购买 购 订购 下单 顾客 客人 客户
    订单 买家
sell: sell sale sold selling revenue takings turnover profit earn market income 卖 销售 出售 销量 营业额 生意 盈利
    赚 利润 卖出 市场
rent: rent lease landlord tenant owner premises contract monthly 租 租金 房租 月租 房东 合同 租期 租了 房客
loan: loan debt mortgage bank credit borrow lend owe interest repay 贷款 房贷 债 银行 借 欠 还款 利息 还贷
invest: invest investor investment fund funding finance grant sponsor crowdfunding subsidy savings saved shares
    raise capital 投资 资助 基金 基金会 众筹 赞助 股份 出钱 批款 积蓄 存款 启动资金
donate: donate donation charity fundraise fundraising raising volunteer cause 捐 捐款 慈善 募捐 义工 志愿 公益
gift: gift present reward treat souvenir surprise gave keepsake leave_behind token 礼物 礼品 送 赠 谢礼 奖励 纪念品
    送给 赔罪 优惠券
promise: promise swear vow oath bet dare challenge condition requirement demand requires needed term 条件 要求 前提
    保证 答应 打赌 承诺 挑战 必须
home: home house flat apartment cottage residence live lives living address lodging dwelling 家 房子 公寓 住 住在
    宿舍 地址 居住 家住 民宿 院子
room: room bedroom bathroom kitchen cellar attic loft hall corridor floor wall ceiling window door roof stairs stool
    chair table bed shelf furniture drawer counter 房间 卧室 浴室 厨房 地下室 阁楼 墙 窗 窗户 窗子 门 屋顶 楼梯 椅子
    桌子 床 柜子 家具 抽屉 客厅 瓦
move: move moved relocate relocation emigrate settle removal transfer transferred transport sent_away 搬 搬家 搬走
    搬到 调走 迁 迁移 运 转移 离开
build: build built construct construction renovate renovation repair repaired fix fixed mend restore install
    installed workshop conversion refurbish 建 造 修 修理 装修 翻修 维修 改造 修好 修补 安装 补
tool: tool hammer saw drill plane glue machine equipment gear device instrument engine motor kiln oven wheel 工具
    机器 设备 仪器 器材 发动机 锤子 工具箱 装置 发电机
material: material wood wooden oak metal steel iron glass clay stone marble paper plastic rubber leather cotton wool
    made 材料 木头 木 金属 铁 钢 玻璃 石头 纸 塑料 皮 棉 骨 做的
cook: cook cooking bake baked roast fry boil recipe ingredient chef kitchen dish meal soup broth sauce 做饭 煮 炖 烤
    炒 熬 配方 秘方 食谱 菜 汤 汤头 厨 料
restaurant: restaurant cafe diner bistro eatery bar pub canteen supper dinner lunch breakfast table guest cover menu
    餐馆 饭店 面馆 餐厅 食堂 咖啡馆 酒吧 晚饭 午饭 早饭 年夜饭 店 菜单 就餐
food: food eat eating snack bread rice noodle noodles pasta cheese egg meat beef pork chicken ham sausage pie curry
    soup waffle pickle biscuit 吃 食物 饭 面 面条 米饭 饺子 包子 鸡蛋 肉 牛肉 羊肉 鸡 火腿 零食 咸菜 粮食
dessert: cake dessert sweet chocolate candy tart pastry sugar honey caramel cookie icecream 蛋糕 甜 糖 巧克力 甜点
    点心 蜂蜜 汤圆
drink: drink beer wine tea coffee juice water milk whisky cocktail sap alcohol drunk 喝 啤酒 酒 茶 咖啡 果汁 水 牛奶
    可乐 饮料 醉
fruit: fruit apple orange lemon lime banana grape berry cherry melon mango pear peach strawberry tomato 水果 苹果 橙
    柠檬 香蕉 葡萄 西瓜 芒果 石榴 桃 梨 草莓
vegetable: vegetable potato carrot onion cabbage salad bean garlic spinach 蔬菜 土豆 白菜 萝卜 洋葱 豆 大蒜 菠菜
spice: spice salt pepper saffron herb cinnamon ginger flavour seasoning taste 香料 盐 胡椒 辣 味道 调料 花椒 姜 肉桂
seafood: fish seafood octopus crab shell shrimp oyster salmon eel lobster 鱼 海鲜 螃蟹 虾 贝 章鱼 捕鱼
travel: travel trip journey tour visit visited holiday vacation tourist outing excursion abroad went 旅行 旅游 出差
    去 旅程 度假 游 出国 探望 看望 外地
flight: flight plane fly flew airport airline ticket helicopter pilot land lands arrive landing boarding 飞机 航班
    机票 机场 飞 头等舱 起飞 降落 到达
train: train railway rail station platform metro subway tram 火车 高铁 铁路 地铁 车站
car: car vehicle van truck pickup bus taxi drive driving driver motorbike motorcycle garage 车 汽车 小汽车 货车 卡车
    公交 出租车 开车 驾驶 司机 摩托车
bicycle: bicycle bike cycling cycle cyclist 自行车 骑车 单车
boat: boat ship vessel ferry sail sailing dinghy canoe row rowing harbour port anchor hull yacht launch outboard 船
    轮船 出海 港口 码头 渔船 帆 划船
road: road street highway motorway traffic jam lane route path congestion 路 街 公路 高速 堵车 堵 巷 交通 路上
hotel: hotel hostel inn guesthouse lodging stay stayed accommodation night guest 酒店 旅馆 客栈 民宿 住宿 宾馆 房客
country: country nation abroad foreign sweden norway germany france spain portugal italy england scotland america
    canada china japan india australia singapore netherlands estonia switzerland mexico brazil 国家 外国 国外 中国
    美国 英国 法国 德国 日本 加拿大 澳大利亚 新加坡
city: city town village capital municipality place district suburb county london paris berlin rome madrid vienna
    moscow new_york boston chicago seattle toronto sydney tokyo 城市 城里 县 镇 村 省 北京 上海 广州 深圳 天津 杭州
    南京 武汉 成都 重庆 西安 香港 台北 老家 古镇
sea: sea ocean coast shore bay beach harbour tide wave seaside 海 大海 海边 海滩 滩涂 海洋 海岸 海湾 潮
mountain: mountain hill peak climb climbing hike hiking valley cliff altitude height summit 山 爬山 登山 山脚 高原
    海拔 峰 谷
river: river lake stream canal pond pool waterfall 河 江 湖 溪 池 池子 池塘 瀑布
island: island isle isles archipelago 岛 海岛 群岛
nature: forest wood tree garden plant flower grass leaf bloom weed moss seed juniper wild nature 森林 树 花园 植物
    花 草 叶子 荷花 青苔 种 自然 野外 百合 果树
weather: weather rain rainy snow storm wind fog sunny cloud umbrella wet forecast climate 天气 下雨 雨 雪 风 雾 晴
    云 伞 雨具 气候
heat: hot heat warm temperature degree degrees fever overheat burn burnt fire flame oven sun 热 温度 度 烫 过热 火
    烧 暑 发烧
cold: cold cool freeze frozen ice chilly winter 冷 冻 冰 凉 冻死 寒
season: season spring summer autumn winter easter christmas thanksgiving holiday festival newyear 季节 春天 夏天
    秋天 冬天 春节 过年 国庆 圣诞 节日 新年 中秋 元旦
illness: illness ill sick disease condition flu cold infection pneumonia cancer stroke dizzy dizziness vertigo
    allergy asthma diabetes cataract nausea cough symptom suffer diagnosis health 病 生病 疾病 肺炎 感冒 中风 头晕
    过敏 鼻炎 糖尿病 血糖 白内障 症状 咳嗽 毛病 慢性病 急病 健康 体检 病因
injury: injury injured hurt broke broken fracture wound burn burnt scar bleed sprain bruise accident fall fell cut
    crack knee ankle cast 受伤 伤 骨折 骨裂 摔 摔伤 扭伤 烫伤 断 流血 疤 石膏 事故 意外
pain: pain painful ache sore hurt headache 疼 痛 疼痛 头疼 麻
surgery: surgery operation operate surgeon transplant hip theatre anaesthetic procedure treat treated treatment
    therapy physio cure cured recover recovery heal healing 手术 开刀 治疗 疗程 康复 恢复 治 治好 动手术 复健 锻炼
doctor: doctor dr physician clinic hospital nurse appointment specialist dentist vet ward ambulance patient
    emergency 医生 大夫 医院 护士 住院 诊所 急救 救护车 病人 卫生
medicine: medicine medication drug pill tablet vaccine dose prescription pharmacy drugstore vitamin remedy 药 药片
    药盒 降压药 中药 疫苗 药店 维生素 吃药
body: body eye ear nose mouth head neck back hip arm hand wrist finger thumb leg knee foot toe toenail skin heart
    bone stomach tendon 身体 眼睛 耳朵 鼻子 嘴 头 脖子 背 腰 胳膊 手 手腕 手指 腿 膝盖 脚 皮肤 心 骨头 胃
tooth: tooth teeth dentist dental orthodontist brace braces 牙 牙齿 牙套 矫正 牙医 矫正器
mind: stress stressed anxious anxiety depressed depression worry worried therapy therapist mental mood burnout 压力
    焦虑 抑郁 担心 心理 情绪 烦
sleep: sleep asleep slept nap tired exhausted rest bed dream wake insomnia night 睡 睡觉 睡着 累 休息 做梦 梦 醒
    失眠 困
weight: weight weigh diet heavy light kilo fat slim 体重 胖 瘦 斤 减肥 重 轻 公斤
sport: sport exercise fitness workout gym training football soccer basketball tennis volleyball yoga skiing athlete
    team match coach surf dive diving length lengths 运动 锻炼 健身 足球 篮球 网球 瑜伽 滑雪 比赛 教练 球队 潜水
running: run running ran jog jogging marathon race kilometre mile sprint trainer trainers 跑 跑步 马拉松 长跑 赛跑
    公里
swimming: swim swimming pool lap laps dive 游泳 泳池 潜水
hobby: hobby activity pastime pottery ceramics knitting painting gardening fishing camping chess puzzle collect
    craft sewing 爱好 兴趣 活动 陶艺 织 钓鱼 露营 象棋 下棋 收藏 手工 手艺
game: game play playing toy puzzle card chess video_game 游戏 玩 玩具 牌 象棋
contest: contest competition win won winner prize award medal rank ranking place placed champion victory number_one
    jury 比赛 竞赛 奖 获奖 大奖 冠军 名次 第一 赢 入围 得奖 评委 排名
music: music song sing singer band orchestra choir concert piano guitar violin drum flute instrument trio melody
    tune note album 音乐 歌 唱 唱歌 歌手 乐队 乐器 钢琴 吉他 小提琴 鼓 演唱会
dance: dance dancing ballet waltz 跳舞 舞蹈 舞
art: art artist artwork paint painting draw drawing drew sketch sculpt sculpture mosaic picture piece portrait
    canvas pattern bowl ceramic figure 艺术 画 画画 绘画 图案 雕塑 作品 素描 写生 画家 工笔
exhibition: exhibition gallery museum show opening display exhibit aquarium festival screening 展览 画廊 博物馆 展
    美术馆 水族馆 放映 电影节 开幕
photo: photo photograph picture camera image shot frame selfie film footage video surveillance 照片 相片 相机 摄像头
    拍照 拍 镜头 监控 视频 拍摄 素材
film: film movie cinema documentary series television director episode broadcast screen 电影 片子 影片 纪录片 电视
    电视台 导演 播映 片名 剧
book: book novel read reading library bookshop story diary diaries notes chapter page poetry poem literature 书 小说
    读 读书 阅读 图书馆 书店 故事 日记 诗 课本 章
write: write wrote writing writer author letter note essay engraved inscription label labelled sign wrote_down
    record 写 写信 信 文章 作文 写作 记 记录 题字 稿子 贴
newspaper: newspaper press journalist critic reporter news article review media paper headline 报纸 新闻 记者 报社
    媒体 报道 帖子 谣言
theatre: theatre play stage performance perform actor costume drama show audience trial 戏 舞台 表演 演出 演员 观众
    剧场 演讲 报告
language: language speak spoke english french german spanish estonian catalan swedish chinese japanese translate
    translation grammar word accent tongue 语言 英语 法语 日语 日文 德语 语法 翻译 译 单词 说话 外语
animal: animal creature pet wildlife beast species breed 动物 宠物 野生 物种 牲口
dog: dog puppy hound terrier poodle labrador 狗 小狗 犬 柯基 金毛
cat: cat kitten 猫 小猫
bird: bird goose duck chicken parrot owl penguin seagull eagle pigeon sparrow wing feather 鸟 鹅 鸭 鸡 鹦鹉 猫头鹰
    企鹅 鹰 鸽子 麻雀 翅膀 羽毛
mammal: mammal horse cow goat sheep pig rabbit hamster mouse rat bear fox wolf deer lion elephant monkey whale seal
    马 牛 羊 猪 兔 老鼠 熊 狐狸 狼 鹿 狮子 大象 猴 鲸
insect: insect bee bees wasp butterfly ant spider hive bug 昆虫 蜜蜂 黄蜂 蝴蝶 蚂蚁 蜘蛛 虫
seacreature: fish shark whale jellyfish snail crab turtle coral seal dolphin 鱼 鲨鱼 鲸 海龟 珊瑚 螃蟹 海豚
farm: farm farmer field harvest crop barn orchard herd cattle graze 农场 农民 田 地里 收成 放牧 牧 果园
happy: happy glad joy joyful delighted thrilled laugh funny amused amusing smile fun enjoy celebrate relieved 高兴
    开心 快乐 笑 欢喜 庆祝 有意思 幸福
sad: sad unhappy cry cried tears weep upset disappointed miss lonely heartbroken 难过 伤心 哭 眼泪 流泪 失望 想念
    孤独 抹眼泪
angry: angry furious mad annoyed annoy upset irritate quarrel argue argument fight complain complaint dispute 生气
    愤怒 吵架 吵 争执 争吵 骂 抱怨 矛盾 投诉
afraid: afraid fear scared terrified nervous frightened panic worry terrifying 怕 害怕 紧张 担心 恐惧 吓
like: like love favourite favorite prefer enjoy fond adore keen admire 喜欢 爱 最爱 爱好 偏爱 欣赏
proud: proud pride praise compliment honour impressed admire congratulations 骄傲 自豪 表扬 夸 称赞 恭喜 光荣
call: call phone telephone ring rang dial text message mail email letter contact post 电话 打电话 短信 信 邮件 联系
    微信 消息 通知
meet: meet met meeting encounter know acquaintance introduce date reunion gather 见 见面 认识 会议 会面 遇见 相识
    聚会
invite: invite invitation welcome host guest party celebrate 邀请 请客 欢迎 聚会 招待 做客
apologise: apologise apologize sorry apology forgive regret 道歉 对不起 赔罪 抱歉 歉意 原谅
approve: approve approval approved agree agreed accept accepted permit permission allow allowed consent sign
    signed_off confirm yes granted 批准 同意 批 允许 准许 答应 接受 认可 通过
refuse: refuse refused deny denied reject rejected decline forbid forbidden turn_down disallow no 拒绝 不同意 不让
    反对 禁止 不许 驳回 退回
advice: advice advise suggest suggestion recommend recommendation propose proposal idea opinion tip reference 建议
    推荐 提议 主意 意见 劝 注意 说服
help: help support assist aid lend favour volunteer rescue save look_after care 帮 帮忙 帮助 支持 支援 援 救 照顾
    协助 代 替 负责 顶替
plan: plan goal intend intention going aim future dream hope wish want thinking decide decision 计划 打算 目标 想
    准备 决定 未来 愿望 希望 梦想 主意
begin: begin start started open opening launch first found establish set_up initial beginning 开始 开张 开业 开门
    启动 创办 第一 头一 起步 首次 上线
finish: finish end ended complete completed done close closing final last over accomplish result deliver delivered
    结束 完成 做完 收尾 最后 最终 结果 关闭 完 截止
stop: stop pause paused halt cancel cancelled interrupt interrupted quit suspend abandon called_off 停 暂停 取消
    中断 停止 停掉 放弃 中途 阻塞
delay: delay delayed postpone wait waiting late slow hold stall queue backlog 推迟 延迟 等 等待 晚 慢 排队 延期 拖
change: change changed update edit modify alter adjust switch replace replaced swap raise set 改 修改 变 更新 调整
    换 更换 调 改行 替换
increase: increase increased raise rise rising more up grow growth higher extra additional 增加 上涨 涨 提高 多 增长
    追加 加
decrease: decrease reduce reduced cut drop less fewer lower discount fall save 减少 降 下降 少 降低 减 打折 亏 损失
break: break broke broken crack cracked damage damaged defective fault burst leak burnt wrong problem trouble
    went_wrong 坏 破 裂 损坏 故障 漏 漏水 坏了 出事 问题 毛病 出错
lose: lose lost missing disappear swallow forget gone misplace 丢 丢失 不见 失去 遗漏 弄丢 忘
find: find found discover discovered discovery detect identify spot turn_up notice see seen recover observed 找到
    发现 看到 看见 见到 捞到 查出 找 观察 识别
steal: steal stole stolen theft thief rob robbery taken burglar crime criminal offender 偷 盗 小偷 偷吃 偷走 叼走
    犯罪 抢
police: police officer detective evidence investigate suspect 警察 民警 报警 公安 证据
law: law court judge lawyer legal trial sue licence license permit permission certificate council authority
    authorities regulation official inspector inspection 法律 法院 法官 律师 官司 许可证 民法典 法 消防 检查 执照
    规定 合法 政府
government: government council state ministry minister mayor politics political party vote election authorities
    county 政府 县里 国家 部门 选举 官员 政治
danger: danger dangerous risk risky accident fire flood disaster emergency warning safe safety 危险 风险 事故 火灾
    洪水 灾 紧急 安全 警告 隐患
clothes: clothes clothing shoe shoes shirt coat jacket trousers dress hat sock suit belt uniform costume wear boots
    glove 衣服 鞋 鞋子 衬衫 外套 裤子 裙 帽子 袜子 腰带 穿 戴
colour: colour color red blue green yellow orange white black brown grey pink purple 颜色 红 蓝 绿 黄 白 黑 灰 紫
    橙色 蓝色
size: size big large huge small tiny long short tall wide square metre metres area volume 大小 大 小 多大 平米 面积
    长 短 高 宽
shop: shop store market bookshop bakery pharmacy supermarket stall premises 店 商店 店面 铺面 门面 超市 市场 网店
    分店 新店
machine: machine node server computer host pod worker hardware gpu cpu laptop printer device camera 机器 节点 服务器
    电脑 主机 显卡 硬件 设备 打印机 哪台
software: software program programme app application code package library tool module system spreadsheet service
    软件 程序 小程序 代码 应用 系统 包 模块 服务
error: error fail failed failure fault exception problem wrong crash broken bug issue mistake invalid corrupt
    mismatch hinder hindered 错误 失败 故障 异常 问题 出错 崩溃 挂了 无效 不一致 错
killed: kill killed die died crash dead terminate oom interrupted lost silent 杀死 中断 死 挂 丢失 崩溃 断电
resume: resume resumed continue continued restart retry retried redriven again recover recovered go_on redo
    successful 继续 恢复 重试 重新 接着 重启 再次 重新投递 成功
database: database table row rows column record records schema query sql db deadlock lock index csv field line lines
    entries 数据库 表 行 列 记录 数据 索引 死锁 库 冲突 字段
network: network connection internet dns host name_resolution gateway wifi connect pool port telnet address 网络
    连接 断网 信号 接口 端口 地址 连接池 断
storage: disk storage space quota full insufficient capacity volume snapshot blob room bytes gb tb 磁盘 存储 空间
    容量 满 储存 冷库 存 剩余 仓库
ram: memory ram resident gib gb out_memory oom heap 内存
access: permission access login log_in password credential account key token certificate secret denied user expired
    valid expire run_out 权限 密码 账号 密钥 证书 登录 凭证 过期 到期 有效期 不足
timeout: timeout slow latency wait lapsed unresponsive too_slow hang 超时 慢 延迟 无响应 堵
limit: limit rate quota throttle budget cap maximum too_many 限流 限制 上限 配额 预算 额度
backup: backup restore snapshot copy archive dump redundancy 备份 还原 快照 归档
deploy: deploy release rollout roll_out production rollback canary version upgrade update undo undone revert
    compensated launch 发布 上线 部署 回滚 灰度 版本 升级 退回 旧版本 更新
verify: verify verified check checked test tested checksum sha validate validation audit scan inspect equal 校验
    检查 核对 验证 测试 扫描 审核 体检
install: install installed installation package dependency requires setup 安装 装 装好 依赖
import: import imported parse load ingest upload reject rejected skipped 导入 导 解析 上传 跳过 读取
send: send sent deliver delivery mail email mailing newsletter transfer bounced recipient payment pay paid 发送 发
    群发 短信 转账 到账 寄 送 付 投递
model: train training fit model auc accuracy validation learning batch epoch loss hit metric 训练 模型 命中率 学习率
    效果 准确率 损失
security: security vulnerability attack telnet hole firewall virus 安全 漏洞 隐患 攻击
duplicate: duplicate double twice again repeated copy same 重复 两次 双份 相同 一样
notify: notify notified alert alerted warn message inform on_call 通知 报警 提醒 告警 值班
power: power electricity supply battery outage generator 电 停电 断电 电源 发电机 电池
cooling: fan temperature overheat noise cooling hot 风扇 温度 过热 异响
clean: clean cleaned prune delete remove removed purge clear free 清理 删除 删 清 腾出 打扫
time: time date day when hour minute oclock schedule appointment deadline until calendar 时间 日期 几点 点 号 日
    什么时候 截止 哪天 小时 分钟 期限
weekday: monday tuesday wednesday thursday friday saturday sunday weekend weekday day_week 周一 周二 周三 周四 周五
    周六 周日 星期 周末 礼拜
month: month january february march april may june july august september october november december 月 月份 一月 二月
    三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月
duration: long duration year years month months week weeks hour hours minute minutes since fortnight decade 多久
    多长 年 个月 星期 天 小时 分钟 几年 多长时间
number: many much number amount count total times hundred thousand million dozen percent 多少 几 数量 数 百 千 万 次
    个 一共 百分之
name: name called call named nickname title 名字 叫 名叫 取名 起名 称呼 姓 小名 定名
reason: because why reason cause caused therefore due since so purpose 因为 为什么 原因 由于 所以 为了 理由
vision: eye see sight vision blind glasses cataract telescope lens look 眼 眼睛 看见 视力 眼镜 望远镜 镜片
star: star planet moon sun sky space comet mars saturn jupiter telescope astronomy astronaut 星星 星 月亮 太阳 天空
    火星 木星 土星 望远镜 宇宙 天文 夜空
clock: clock watch alarm timer time 钟 表 闹钟 计时 时钟
slogan: slogan motto phrase saying sentence words quote 口号 标语 一句话 宣传语 话
"""

CONCEPTS: dict[str, tuple[str, ...]] = {
    concept: tuple(words.split())
    for concept, words in (entry.split(":", 1) for entry in re.sub(r"\n +", " ", _ENTRIES).strip().split("\n"))
}
