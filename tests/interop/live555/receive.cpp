// live555 as a receiver: writes each frame of a stream as 000000.jpg, 000001.jpg, ….
//
//     receive SESSION_DESCRIPTION FOLDER
//     receive rtsp://… FOLDER NAME PASSWORD FRAMES tcp|udp     until there are so many

#include <liveMedia.hh>
#include <BasicUsageEnvironment.hh>
#include <GroupsockHelper.hh>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace {

char volatile is_over = 0;

// More than the largest frame of the suite.
const unsigned buffer_octets = 8 << 20;
// Room for what the largest frame has in packets.
const unsigned receive_buffer_octets = 4 << 20;

// FileSink's own numbering goes by time, which a sender report sets anew.
class NumberedFiles : public FileSink {
public:
    NumberedFiles(UsageEnvironment& env, std::string folder)
        : FileSink(env, stdout, buffer_octets, nullptr), folder(folder) {}

    void addData(unsigned char const* data, unsigned size, struct timeval) override {
        char name[16];
        snprintf(name, sizeof name, "/%06u.jpg", number++);
        // Whole, or not there: somebody counts them meanwhile.
        std::string path = folder + name, part = path + ".part";
        std::ofstream(part, std::ios::binary).write(reinterpret_cast<char const*>(data), size);
        rename(part.c_str(), path.c_str());
        if (number == wanted)
            is_over = 1;
    }

    unsigned wanted = 0;

private:
    std::string folder;
    unsigned number = 0;
};

void source_closed(void*) {
    std::cerr << "the stream has ended\n";
}

void end(int) {
    is_over = 1;
}

// A client of RTSP, whose requests follow each other.
class Player : public RTSPClient {
public:
    Player(UsageEnvironment& env, char** arguments)
        : RTSPClient(env, arguments[1], 0, "live555 of the interop suite", 0, -1),
          authenticator(arguments[3], arguments[4]), files(env, arguments[2]) {
        files.wanted = std::stoul(arguments[5]);
        by_tcp = std::string(arguments[6]) == "tcp";
        sendDescribeCommand(described, &authenticator);
    }

    bool is_well = false;

private:
    static void described(RTSPClient* client, int code, char* sdp) {
        Player& player = *static_cast<Player*>(client);
        if (code != 0)
            return player.failed("DESCRIBE", code);
        player.session = MediaSession::createNew(player.envir(), sdp);
        player.stream = MediaSubsessionIterator(*player.session).next();
        if (!player.stream->initiate())
            return player.failed("initiate", 0);
        player.sendSetupCommand(*player.stream, set_up, False, player.by_tcp, False, &player.authenticator);
    }

    static void set_up(RTSPClient* client, int code, char*) {
        Player& player = *static_cast<Player*>(client);
        if (code != 0)
            return player.failed("SETUP", code);
        if (!player.by_tcp)
            increaseReceiveBufferTo(player.envir(), player.stream->rtpSource()->RTPgs()->socketNum(), receive_buffer_octets);
        player.files.startPlaying(*player.stream->readSource(), source_closed, nullptr);
        player.sendPlayCommand(*player.session, played, 0.0, -1.0, 1.0f, &player.authenticator);
    }

    static void played(RTSPClient* client, int code, char*) {
        Player& player = *static_cast<Player*>(client);
        if (code != 0)
            return player.failed("PLAY", code);
        player.is_well = true;
    }

    void failed(char const* request, int code) {
        std::cerr << request << ": " << code << " " << envir().getResultMsg() << "\n";
        is_over = 1;
    }

    Authenticator authenticator;
    NumberedFiles files;
    bool by_tcp = true;
    MediaSession* session = nullptr;
    MediaSubsession* stream = nullptr;
};

}

int main(int count, char** arguments) {
    signal(SIGINT, end);
    if (count > 3) {
        TaskScheduler* scheduler = BasicTaskScheduler::createNew();
        Player player(*BasicUsageEnvironment::createNew(*scheduler), arguments);
        scheduler->doEventLoop(&is_over);
        // Nothing is torn down: the connection ends with the program, as other programs with live555 end.
        _exit(player.is_well ? 0 : 1);
    }
    std::ifstream file(arguments[1]);
    std::string sdp(std::istreambuf_iterator<char>(file), {});
    TaskScheduler* scheduler = BasicTaskScheduler::createNew();
    UsageEnvironment* env = BasicUsageEnvironment::createNew(*scheduler);
    MediaSession* session = MediaSession::createNew(*env, sdp.c_str());
    MediaSubsession* stream = session ? MediaSubsessionIterator(*session).next() : nullptr;
    if (!stream || !stream->initiate()) {
        std::cerr << env->getResultMsg() << "\n";
        return 1;
    }
    increaseReceiveBufferTo(*env, stream->rtpSource()->RTPgs()->socketNum(), receive_buffer_octets);
    NumberedFiles files(*env, arguments[2]);
    files.startPlaying(*stream->readSource(), source_closed, nullptr);
    scheduler->doEventLoop(&is_over);
}
